"""A lab's condition is facts that can be compared: what was good and is not any more."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from model.errors import AbilityMissing, ControlChannelLost
from model.lab import COMMAND_DEADLINE, CommandResult, Fleet, Lab, PublishedKeys, Store
from model.topology import Address, Role, topology
from probes import condition
from probes.answers import StoreError
from probes.condition import Condition, look_at, owners
from probes.http import HttpLook, Web
from probes.outcomes import Reached, SshOutcome
from probes.statistics import ServerStatus, Statistics
from tests.unit.stand_in import StandIn


class FakeMachine(StandIn):
    """Has addresses, and perhaps a control channel."""

    on = True
    lost = False
    addresses: tuple[str, ...] = ()

    def is_on(self) -> bool:
        return self.on

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        if self.lost:
            msg = f"no way into {self.name}"
            raise ControlChannelLost(msg)
        listed = "".join(f" {address}/24" for address in (self.address, *self.addresses))
        return CommandResult(command, 0, f"lo UNKNOWN 127.0.0.1/8\nhost0@if2 UP{listed}\n", "")


class World:
    """A lab, and what a look at each of its parts sees."""

    def __init__(self, name: str, runners: int) -> None:
        """Everything serves."""
        plan = topology(name, runners)
        self.machines = {spec.name: FakeMachine(spec) for spec in plan.machines}
        fleet = Fleet(plan.runner_endpoint, "pipeline", Path("/nowhere"), PublishedKeys(""))
        store = Store(plan.storage_endpoint, "bucket", "admin", "hunter2-and-more")
        self.lab = Lab("a", "fake", plan, dict(self.machines), fleet, store)
        self.ssh: dict[str, Reached] = {}
        self.web: dict[str, int | None] = {}
        self.servers: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        if plan.virtual_addresses:
            self.machines["balancer01"].addresses = plan.virtual_addresses

    def knock(self, address: Address, within: timedelta) -> SshOutcome:
        return SshOutcome(self.ssh.get(address.host, Reached.ANSWERED))

    def look(self, url: str, *, within: timedelta, ca_file: object = None) -> HttpLook:
        del ca_file
        status = self.web.get(url, 200)
        return HttpLook(url, Web.ANSWERED if status else Web.REFUSED, status)

    def store_probe(self, store: Store, address: Address, *, within: timedelta) -> SimpleNamespace:
        code = self.refusals.get(address.host)
        return SimpleNamespace(leave_nothing=lambda _key: StoreError(code) if code else None)

    def read_statistics(self, address: Address, within: timedelta) -> Statistics:
        seen = self.look(f"http://{address}/stats;csv", within=within)
        names = [spec.name for spec in self.lab.topology.of(Role.RUNNER)] if seen.ok else []
        return Statistics(seen, tuple(ServerStatus("fleet", name, raw_status=self.servers.get(name, "UP"), weight=1) for name in names))


@pytest.fixture(params=[("single", 2), ("production", 3), ("production", 60)], ids=lambda given: f"{given[0]}-{given[1]}")
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(*request.param)
    monkeypatch.setattr(condition, "knock", made.knock)
    monkeypatch.setattr(condition, "read_statistics", made.read_statistics)
    monkeypatch.setattr("probes.health.look", made.look)
    monkeypatch.setattr(condition, "StoreProbe", made.store_probe)
    return made


def test_a_lab_that_serves_is_good_in_every_part(world: World) -> None:
    seen = look_at(world.lab)
    assert (seen.is_good, str(seen)) == (True, "everything serves")
    parts = {about.partition(":")[0] for about in seen.facts}
    assert set(world.machines) <= parts
    looked = len(world.machines) + 4 * len(world.lab.storage) + len(world.lab.balancers) * (1 + len(world.lab.runners))
    assert len(seen.facts) == looked + len(world.lab.topology.virtual_addresses)
    assert seen.worse_than(seen) == []


def test_a_look_leaves_no_thread_behind(world: World) -> None:
    before = threading.active_count()
    look_at(world.lab)
    assert threading.active_count() == before


def test_what_does_not_serve_is_named(world: World) -> None:
    baseline = look_at(world.lab)
    world.ssh["10.1.0.103"] = Reached.SILENT
    world.servers["runner01"] = "DOWN 1/2"
    address = world.lab.storage[0].address
    world.web[f"http://{address}:9000/minio/health/cluster"] = 503
    seen = look_at(world.lab)
    assert not seen.is_good
    worse = [
        "runner01: SSH is silent, was answered",
        "storage01: write quorum is 503, was 200",
        *(f"{machine.name}: fleet/runner01 is DOWN, was UP" for machine in world.lab.balancers),
    ]
    assert sorted(seen.worse_than(baseline)) == sorted(worse)
    assert "storage01: write quorum: 503" in str(seen)
    assert baseline.worse_than(seen) == [], "better is not worse"


def test_a_store_that_is_healthy_but_takes_no_write_is_not_good(world: World) -> None:
    baseline = look_at(world.lab)
    assert not baseline.is_mending
    world.refusals[world.lab.storage[0].address] = "SlowDownWrite"
    seen = look_at(world.lab)
    assert seen.is_mending
    assert seen.worse_than(baseline) == ["storage01: writes is SlowDownWrite, was accepted"]


def test_a_page_that_cannot_be_had_takes_its_servers_with_it(world: World) -> None:
    baseline = look_at(world.lab)
    address = world.lab.balancers[0].address
    world.web[f"http://{address}:8404/stats;csv"] = None
    worse = look_at(world.lab).worse_than(baseline)
    assert "balancer01: statistics is refused, was 200" in worse
    assert "balancer01: fleet/runner01 is gone, was UP" in worse
    assert len(worse) == 1 + len(world.lab.runners)


def test_an_address_has_one_owner_or_it_is_not_good(world: World) -> None:
    balancers = world.lab.balancers
    for address in world.lab.topology.virtual_addresses:
        assert owners(world.lab, address) == ["balancer01"]
        world.machines[balancers[1].name].addresses = (address,)
        assert look_at(world.lab).facts[f"virtual address {address}"] == "owned by balancer01 and balancer02"
        world.machines[balancers[1].name].addresses = ()
        world.machines["balancer01"].on = False
        assert look_at(world.lab).facts[f"virtual address {address}"] == "owned by nobody"
        world.machines["balancer01"].on, world.machines["balancer01"].lost = True, True
        seen = look_at(world.lab)
        assert seen.facts[f"virtual address {address}"] == "unknown: no way into balancer01"
        assert not seen.is_good
        world.machines["balancer01"].lost = False


def test_an_address_is_not_taken_for_one_that_begins_alike(world: World) -> None:
    world.machines["balancer01"].addresses = ("10.1.0.101",)
    assert owners(world.lab, "10.1.0.10") == []
    assert owners(world.lab, "0.1.0.101") == []
    assert owners(world.lab, "10.1.0.101") == ["balancer01"]


@pytest.mark.parametrize("fact", ["answered", "200", "UP", "one owner"])
def test_good_facts(fact: str) -> None:
    assert Condition({"any": fact}).is_good


@pytest.mark.parametrize("fact", ["refused", "503", "DOWN", "MAINT", "no check", "owned by nobody", "unknown: lost", "", "gone"])
def test_facts_that_are_not_good(fact: str) -> None:
    seen = Condition({"any": fact})
    assert not seen.is_good
    assert str(seen) == f"any: {fact}"
    assert seen.worse_than(Condition({"any": "UP"})) == [f"any is {fact}, was UP"]
    assert Condition({"any": "UP"}).worse_than(seen) == []


def test_what_is_new_is_not_worse() -> None:
    assert Condition({"a": "UP", "b": "DOWN"}).worse_than(Condition({"a": "UP"})) == []


def test_who_has_an_address_is_found_beside_a_balancer_that_is_off() -> None:
    lost = World("production", 3)
    lost.machines["balancer01"].on = False
    lost.machines["balancer02"].addresses = ("10.1.0.101",)
    assert owners(lost.lab, "10.1.0.101") == ["balancer02"]


def test_what_cannot_be_looked_at_from_here_is_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(*_: object) -> SshOutcome:
        msg = "nobody gets there"
        raise AbilityMissing(msg)

    seen = look_at(world.lab).facts
    monkeypatch.setattr(condition, "knock", unable)
    assert look_at(world.lab).facts == {about: fact for about, fact in seen.items() if not about.endswith(": SSH")}
