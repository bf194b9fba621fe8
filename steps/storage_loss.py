"""Sentences about pipelines that go on while the state store loses machines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.power import PlugPulled
from faults.service import ProcessKilled, ServiceStopped
from faults.targets import each_storage_node, seeded_storage_node
from model.lab import Lab
from model.measurements import at_most
from probes.apply_loop import ApplyLoop
from probes.clients.crew import Clients
from steps.storage import MINIO

STATES = 2
BEFORE, DURING, AFTER = 4, 6, 4
"""Applies, over all states, before, during and after each fault."""

APPLIES_WITHIN = timedelta(seconds=180)


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
