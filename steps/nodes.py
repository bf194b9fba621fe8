"""Sentences about the nodes of a cluster: which machine is where, and what is lost with a node."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from pytest_bdd import parsers, then, when

from faults.breaker import Breaker
from faults.power import PlugPulled
from faults.targets import any_storage_node
from model.errors import PromiseBroken
from model.lab import Lab, Machine
from model.measurements import at_most
from model.topology import Role
from probes import job_steps as do
from probes.jobs import JobClient
from probes.store import StoreProbe
from probes.workspace import counted, fresh_value
from steps.state import SharedState, serial_of

WITHOUT_QUORUM = 1
"""Storage machines that four of them can lose and still write: MinIO, write quorum of 4 drives with parity 2."""


@dataclass(frozen=True)
class NodeLost:
    """A node that is gone, as far as the lab sees.

    Attributes:
        node: Its name.
        machines: What was on it.
        since: When the first of them lost its power, on the monotonic clock.
    """

    node: str
    machines: tuple[Machine, ...]
    since: float


def _places(lab: Lab) -> dict[str, str]:
    return {machine.name: machine.inspect().place for machine in lab.machines.values()}


@when("the hypervisor is asked where every machine runs", target_fixture="places")
def ask_places(lab: Lab) -> dict[str, str]:
    return _places(lab)


@then("no node holds more storage machines than the store can lose")
def check_storage(lab: Lab, places: dict[str, str], measure: Callable[..., object]) -> None:
    _check_most(lab, places, Role.STORAGE, WITHOUT_QUORUM, measure)


@then("no node holds every balancer, and none every runner")
def check_others(lab: Lab, places: dict[str, str], measure: Callable[..., object]) -> None:
    for role in (Role.BALANCER, Role.RUNNER):
        _check_most(lab, places, role, len(lab.of(role)) - 1, measure)


def _check_most(lab: Lab, places: dict[str, str], role: Role, limit: int, measure: Callable[..., object]) -> None:
    names = [machine.name for machine in lab.of(role)]
    node, most = Counter(places[name] for name in names).most_common(1)[0]
    measure(f"machines of role {role.value} on one node", most, "machines", at_most(limit))
    there = [name for name in names if places[name] == node]
    assert most <= limit, f"expected at most {limit} of {', '.join(names)} on one node; observed {', '.join(there)} on {node}"


@when("a node with a storage machine is lost, and everything that runs on it", target_fixture="node_lost")
def lose_node(lab: Lab, breaker: Breaker, dice: Random) -> NodeLost:
    places = _places(lab)
    node = places[any_storage_node(lab, dice).name]
    lost = tuple(machine for machine in lab.machines.values() if places[machine.name] == node)
    since = time.monotonic()
    for machine in lost:
        breaker.inject(PlugPulled(machine))
    return NodeLost(node, lost, since)


@then(parsers.parse("a pipeline job through the endpoint applies a change within {seconds:d} seconds"))
def check_job(  # noqa: PLR0913, PLR0917 - a sentence's fixtures
    node_lost: NodeLost, jobs: JobClient, store: StoreProbe, shared: SharedState, seconds: int, measure: Callable[..., object]
) -> None:
    deadline = node_lost.since + 2 * seconds  # a miss is measured, too
    while True:
        outcome = jobs.through_endpoint(counted(shared.key, fresh_value()), do.apply())
        took = time.monotonic() - node_lost.since
        if outcome.ok or time.monotonic() >= deadline:
            break
    names = ", ".join(machine.name for machine in node_lost.machines)
    if not outcome.ok:
        raise PromiseBroken(f"expected a job to succeed without {node_lost.node} ({names}); observed after {took:.0f} s:\n{outcome}")
    measure("change saved after the loss of a node", timedelta(seconds=took).total_seconds(), "s", at_most(seconds))
    assert took <= seconds, f"expected a change within {seconds} s after {node_lost.node} ({names}) was lost; observed after {took:.0f} s"
    now = serial_of(store, shared.key)
    assert now > shared.serials[-1], f"expected a serial above {shared.serials[-1]}; observed {now}"
