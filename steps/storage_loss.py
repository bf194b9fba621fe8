"""Sentences about pipelines that go on while the state store loses machines."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.network import NetworkCut
from faults.power import PlugPulled
from faults.service import ProcessKilled, ServiceStopped
from faults.targets import each_storage_node, seeded_storage_node
from model.errors import PromiseBroken
from model.lab import Lab, Machine
from model.measurements import at_most
from model.waiting import wait_until
from probes import job_steps as do
from probes.apply_loop import ApplyLoop
from probes.clients.crew import Clients
from probes.jobs import JobClient
from probes.store import StoreProbe
from probes.workspace import counted, fresh_value
from steps.state import RESOURCES, SharedState, serial_of
from steps.storage import MINIO, node_address

STATES = 2
BEFORE, DURING, AFTER = 4, 6, 4
"""Applies, over all states, before, during and after each fault."""

APPLIES_WITHIN = timedelta(seconds=180)
READ_WITHIN = timedelta(seconds=90)
"""Two of four machines silent: a first read takes 30 to 40 s until the others are given up."""


@given("pipelines that change two states without a pause", target_fixture="loop")
def start_pipelines(lab: Lab, clients: Clients, key: str) -> ApplyLoop:
    loop = clients.start(ApplyLoop(lab, [f"{key}.{number}" for number in range(1, STATES + 1)], lab.runners))
    loop.await_ended(BEFORE, since=0.0, within=APPLIES_WITHIN)
    return loop


def _break(breaker: Breaker, loop: ApplyLoop, fault: Fault) -> None:
    breaker.inject(fault)
    loop.await_ended(DURING, since=fault.struck_at, within=APPLIES_WITHIN)
    breaker.heal(fault)
    loop.await_ended(AFTER, since=fault.healed_at or fault.struck_at, within=APPLIES_WITHIN)


@when("each storage machine in turn loses its power and comes back")
def lose_each(lab: Lab, breaker: Breaker, loop: ApplyLoop) -> None:
    for machine in each_storage_node(lab):
        _break(breaker, loop, PlugPulled(machine))


@when("MinIO is killed on one storage machine while they work")
def kill_one(lab: Lab, breaker: Breaker, loop: ApplyLoop, key: str) -> None:
    _break(breaker, loop, ProcessKilled(seeded_storage_node(lab, key), MINIO))


@when("MinIO is stopped on one storage machine while they work")
def stop_one(lab: Lab, breaker: Breaker, loop: ApplyLoop, key: str) -> None:
    _break(breaker, loop, ServiceStopped(seeded_storage_node(lab, key), MINIO))


@then("no apply failed")
def check_applies(loop: ApplyLoop, measure: Callable[..., object]) -> None:
    measure("applies", len(loop.applies.ended), "applies")
    measure("of which met their own lock and were repeated", len(loop.own_locks), "applies")
    for each in loop.unexcused:
        raise AssertionError(f"expected every apply to succeed while one storage machine is lost; observed {each}")


@then(parsers.parse("no apply lasted longer than {seconds:d} seconds"))
def check_longest(loop: ApplyLoop, seconds: int, measure: Callable[..., object]) -> None:
    longest = loop.longest_apply()
    assert longest is not None, "expected applies; observed none"
    measure("longest apply", longest.seconds, "s", at_most(seconds))
    assert longest.seconds <= seconds, f"expected no apply to last longer than {seconds} s; observed {longest}"


@when("one storage machine is without power while the state is changed, and comes back", target_fixture="returned")
def lose_and_change(lab: Lab, breaker: Breaker, jobs: JobClient, store: StoreProbe, shared: SharedState) -> Machine:
    machine = seeded_storage_node(lab, shared.key)
    fault = breaker.inject(PlugPulled(machine))
    shared.workspace = counted(shared.key, fresh_value(), resources=RESOURCES)
    outcome = jobs.on(lab.runners[0], shared.workspace, do.apply())
    if not outcome.ok:
        raise PromiseBroken(f"expected an apply to succeed while {machine.name} is without power; observed:\n{outcome}")
    shared.serials.append(serial_of(store, shared.key))
    breaker.heal(fault)
    breaker.require_recovered()
    return machine


@then("that machine and one witness alone give the newest state")
def check_witness(lab: Lab, breaker: Breaker, shared: SharedState, returned: Machine, measure: Callable[..., object]) -> None:
    """An object is repaired when it is read with all drives there: each node reads it once before two others are cut."""
    for machine in lab.storage:
        seen = StoreProbe(lab.store, node_address(lab, machine)).state(shared.key)
        assert seen.value is not None, f"expected the state on {machine.name} with all machines there; observed {seen.error}"
    witness, *others = [machine for machine in lab.storage if machine.name != returned.name]
    for machine in others:
        breaker.inject(NetworkCut(machine))
    probe = StoreProbe(lab.store, node_address(lab, returned), within=READ_WITHIN)
    began = time.monotonic()
    waited = wait_until(
        lambda: probe.state(shared.key),
        lambda seen: seen.value is not None,
        what=f"{returned.name} gives the state with no other machine than {witness.name}",
        within=READ_WITHIN,
        every=timedelta(seconds=1),
        error=PromiseBroken,
    )
    measure("read with one witness after", time.monotonic() - began, "s", machine=returned.name)
    newest = waited.value.value
    assert newest is not None, f"expected the state on {returned.name}; observed none"
    assert newest.serial == shared.serials[-1], (
        f"expected serial {shared.serials[-1]} from {returned.name} and {witness.name}; observed {newest.serial}"
    )
