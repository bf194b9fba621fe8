"""Sentences about pipelines that go on while the state store loses machines."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from pytest_bdd import given, parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.power import PlugPulled
from faults.service import ProcessKilled, ServiceStopped
from faults.targets import any_storage_node, each_storage_node
from model.aftermath import Aftermath
from model.errors import PromiseBroken
from model.lab import Lab, Machine
from model.measurements import at_most
from model.waiting import wait_until
from probes import job_steps as do
from probes.apply_loop import ApplyLoop
from probes.clients.crew import Clients
from probes.drives import MINIO, has_version
from probes.jobs import JobClient
from probes.stopwatch import Stopwatch
from probes.store import StoreProbe
from probes.workspace import counted, fresh_value
from steps.state import RESOURCES, SharedState, snapshot
from steps.storage import node_address

STATES = 2
APPLIES = 2
"""To each state before, during and after each fault."""

APPLIES_WITHIN = timedelta(seconds=180)
LARGE = b"." * 2**25
"""More than what is under way on a connection that nobody reads from."""

PLACES = {"first": 0, "second": 1, "third": 2, "last": -1}
WITNESS_WITHIN = timedelta(seconds=60)


@given("pipelines that change two states without a pause", target_fixture="loop")
def start_pipelines(lab: Lab, clients: Clients, key: str) -> ApplyLoop:
    loop = clients.start(ApplyLoop(lab, [f"{key}.{number}" for number in range(1, STATES + 1)], lab.runners))
    loop.await_each(APPLIES, since=0.0, within=APPLIES_WITHIN)
    return loop


def _break(breaker: Breaker, loop: ApplyLoop, fault: Fault) -> None:
    breaker.inject(fault)
    loop.await_each(APPLIES, since=fault.struck_at, within=APPLIES_WITHIN)
    breaker.heal(fault)
    loop.await_each(APPLIES, since=fault.healed_at or fault.struck_at, within=APPLIES_WITHIN)


@when("each storage machine in turn loses its power and comes back")
def lose_each(lab: Lab, breaker: Breaker, loop: ApplyLoop) -> None:
    for machine in each_storage_node(lab):
        _break(breaker, loop, PlugPulled(machine))


@dataclass(frozen=True)
class HandedOut:
    """An object that a machine sends to a reader who does not take it: inside, the store has a lock on it all the while."""

    machine: Machine
    key: str


@given("an object that one storage machine is handing out to a reader", target_fixture="handed_out")
def hand_out(lab: Lab, store: StoreProbe, key: str, dice: Random, aftermath: Aftermath) -> HandedOut:
    given_away = HandedOut(any_storage_node(lab, dice), f"{key}.handed-out")
    written = store.put(given_away.key, LARGE)
    assert written.ok, f"expected {given_away.key} to be written; observed {written.error}"
    reader = StoreProbe(lab.store, node_address(lab, given_away.machine)).begin_to_read(given_away.key)
    aftermath.heal(reader.drop)
    return given_away


@when("MinIO is killed on that machine while they work", target_fixture="fault")
def kill_that_one(breaker: Breaker, loop: ApplyLoop, handed_out: HandedOut) -> Fault:
    fault = ProcessKilled(handed_out.machine, MINIO)
    _break(breaker, loop, fault)
    return fault


@then(parsers.parse("that object can be written again within {seconds:d} seconds"))
def check_given_up(store: StoreProbe, handed_out: HandedOut, fault: Fault, seconds: int, stopwatch: Stopwatch) -> None:
    stopwatch.await_promise(
        lambda: store.put(handed_out.key, b""),
        lambda written: written.ok,
        what=f"{handed_out.key} can be written, which {handed_out.machine.name} was handing out when its MinIO was killed",
        within=seconds,
        since=fault.struck_at,
        name="object of a broken request written after",
        machine=handed_out.machine.name,
    )


@when("MinIO is stopped on one storage machine while they work")
def stop_one(lab: Lab, breaker: Breaker, loop: ApplyLoop, dice: Random) -> None:
    _break(breaker, loop, ServiceStopped(any_storage_node(lab, dice), MINIO))


@when("MinIO is killed on each storage machine in turn while they work")
def kill_each(lab: Lab, breaker: Breaker, loop: ApplyLoop) -> None:
    for machine in each_storage_node(lab):
        _break(breaker, loop, ProcessKilled(machine, MINIO))


@when("MinIO is stopped on each storage machine in turn while they work")
def stop_each(lab: Lab, breaker: Breaker, loop: ApplyLoop) -> None:
    for machine in each_storage_node(lab):
        _break(breaker, loop, ServiceStopped(machine, MINIO))


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


@dataclass(frozen=True)
class Returned:
    """A storage machine that was away while a state was changed, and the version that it missed."""

    machine: Machine
    version_id: str
    since: float


@when("one storage machine is without power while the state is changed, and comes back", target_fixture="returned")
def lose_one_and_change(  # noqa: PLR0913, PLR0917 - a sentence's fixtures
    lab: Lab, breaker: Breaker, jobs: JobClient, store: StoreProbe, shared: SharedState, dice: Random
) -> Returned:
    return _change_without(any_storage_node(lab, dice), lab, breaker, jobs, store, shared)


@when(parsers.parse("the {which} storage machine is without power while the state is changed, and comes back"), target_fixture="returned")
def lose_and_change(  # noqa: PLR0913, PLR0917 - a sentence's fixtures
    lab: Lab, breaker: Breaker, jobs: JobClient, store: StoreProbe, shared: SharedState, which: str
) -> Returned:
    return _change_without(each_storage_node(lab)[PLACES[which]], lab, breaker, jobs, store, shared)


def _change_without(  # noqa: PLR0913, PLR0917 - a sentence's fixtures
    machine: Machine, lab: Lab, breaker: Breaker, jobs: JobClient, store: StoreProbe, shared: SharedState
) -> Returned:
    fault = breaker.inject(PlugPulled(machine))
    shared.workspace = counted(shared.key, fresh_value(), resources=RESOURCES)
    outcome = jobs.on(lab.runners[0], shared.workspace, do.apply())
    if not outcome.ok:
        raise PromiseBroken(f"expected an apply to succeed while {machine.name} is without power; observed:\n{outcome}")
    newest = snapshot(store, shared.key)
    shared.serials.append(newest.serial)
    breaker.heal(fault)
    breaker.require_recovered()
    return Returned(machine, newest.version_id, time.monotonic())


@then(parsers.parse("reading the versions of the state repairs them on that machine within {seconds:d} seconds"))
def check_repaired(lab: Lab, shared: SharedState, returned: Returned, seconds: int, stopwatch: Stopwatch) -> None:
    """By version, through every machine: a plain read is content with a machine that has an older one, and repairs nothing."""

    def read_and_look() -> bool:
        for machine in lab.storage:
            StoreProbe(lab.store, node_address(lab, machine)).state(shared.key, returned.version_id)
        return has_version(returned.machine, lab.store.bucket, shared.key, returned.version_id)

    stopwatch.await_promise(
        read_and_look,
        bool,
        what=f"{returned.machine.name} has version {returned.version_id} of {shared.key} on its own drive",
        within=seconds,
        since=returned.since,
        name="missed version repaired after",
        every=timedelta(seconds=1),
        machine=returned.machine.name,
    )


@then("with one witness alone it gives the newest state")
def check_witness(lab: Lab, breaker: Breaker, shared: SharedState, returned: Returned, measure: Callable[..., object]) -> None:
    """The others refuse rather than fall silent: they can say as little, and a read does not first wait half a minute for them."""
    witness, *others = [machine for machine in lab.storage if machine.name != returned.machine.name]
    for machine in others:
        breaker.inject(ServiceStopped(machine, MINIO))
    probe = StoreProbe(lab.store, node_address(lab, returned.machine))
    began = time.monotonic()
    waited = wait_until(
        lambda: probe.state(shared.key),
        lambda seen: seen.value is not None,
        what=f"{returned.machine.name} gives the state with no other machine than {witness.name}",
        within=WITNESS_WITHIN,
        every=timedelta(seconds=1),
    )
    measure("read with one witness after", time.monotonic() - began, "s", machine=returned.machine.name)
    seen = waited.value.value
    assert seen is not None, f"expected the state from {returned.machine.name} and {witness.name}; observed none"
    assert seen.serial == shared.serials[-1], (
        f"expected serial {shared.serials[-1]} from {returned.machine.name} and {witness.name}; observed {seen.serial}"
    )
