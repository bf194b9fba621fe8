"""Machines say what can be done to them; nothing prints a secret; each error is one of two families."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from model import errors
from model.errors import AbilityMissing, AcceptanceError, DeadlineMissed, PromiseBroken
from model.lab import Ability, CommandResult, Fleet, Lab, LabDriver, Machine, PublishedKeys, Store
from model.topology import Address, MachineSpec, Role, Topology, topology
from tests.unit.stand_in import StandIn


@pytest.fixture
def machine() -> StandIn:
    return StandIn(MachineSpec("runner01", "10.1.0.103", Role.RUNNER))


@pytest.mark.parametrize(
    ("method", "ability"),
    [
        ("cut_power", Ability.CUT_POWER),
        ("shut_down", Ability.SHUT_DOWN),
        ("power_on", Ability.POWER_ON),
        ("reboot", Ability.REBOOT),
        ("suspend", Ability.SUSPEND),
        ("resume", Ability.SUSPEND),
        ("disconnect", Ability.DISCONNECT),
        ("reconnect", Ability.DISCONNECT),
        ("rebuild", Ability.REBUILD),
    ],
)
def test_what_a_driver_cannot_do_is_an_ability_missing(machine: StandIn, method: str, ability: Ability) -> None:
    with pytest.raises(AbilityMissing) as missing:
        getattr(machine, method)()
    assert str(missing.value) == f"the lab's driver cannot do this to runner01: {ability.value}"
    assert not machine.can(ability)


def test_what_it_can_do_is_not_refused(machine: StandIn) -> None:
    machine.require(Ability.CONTROL)
    assert machine.can(Ability.CONTROL)
    assert repr(machine) == "<StandIn runner01 10.1.0.103>"


def test_a_result_says_both_streams() -> None:
    result = CommandResult("false", 1, "out\n", "err\n")
    assert (result.ok, result.text) == (False, "out\nerr")
    assert CommandResult("true", 0, "", "err\n").text == "err"
    assert CommandResult("true", 0, "", "").ok


def lab() -> Lab:
    plan = topology("production")
    machines: dict[str, Machine] = {spec.name: StandIn(spec) for spec in plan.machines}
    fleet = Fleet(plan.runner_endpoint, "pipeline", Path("/nowhere/login"), PublishedKeys(""))
    return Lab("a", "bare", plan, machines, fleet, Store(plan.storage_endpoint, "bucket", "admin", "hunter2-and-more"))


def test_a_lab_names_its_machines_by_role_in_order() -> None:
    names = [[machine.name for machine in machines] for machines in (lab().storage, lab().balancers, lab().runners)]
    assert names == [[f"storage0{i}" for i in range(1, 5)], ["balancer01", "balancer02"], ["runner01", "runner02", "runner03"]]


def test_a_lab_does_not_print_its_secret() -> None:
    assert "hunter2" not in repr(lab())


def test_the_stores_url() -> None:
    assert lab().store.url == "http://10.1.0.101:9000"
    assert Store(Address("s3.example", 443), "b", "a", "s", secure=True).url == "https://s3.example:443"


class Maker(LabDriver):
    """Does nothing of its own accord."""

    name = "none"

    def provision(self, topology: Topology, name: str) -> Lab:
        raise NotImplementedError

    def enter(self, lab: Lab) -> None:
        """Nowhere else."""

    def keep(self, lab: Lab) -> None:
        """Nothing to keep."""

    def remove(self, lab: Lab) -> None:
        """Nothing to remove."""


def test_a_lab_is_ours_and_made_anew_unless_its_driver_says_otherwise() -> None:
    driver = Maker()
    assert driver.ours
    assert not driver.reset(lab())


def test_an_error_is_either_the_labs_or_ours() -> None:
    ours = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}
    assert {kind for kind in ours if issubclass(kind, AssertionError)} == {PromiseBroken, DeadlineMissed}
    assert all(issubclass(kind, AcceptanceError) for kind in ours - {PromiseBroken, DeadlineMissed})
    assert not issubclass(AcceptanceError, AssertionError)
    assert all(kind.__doc__ for kind in ours)
