"""Sentences about clients that connect without a pause, while machines fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.power import PlugPulled
from faults.service import SshFrozen, SshStopped
from faults.targets import runner_that_answered_last
from model.history import Operations
from model.lab import Lab, Machine
from model.waiting import wait_until
from probes import job_steps as do
from probes.clients.crew import Clients
from probes.clients.fleet import FleetClient
from probes.clients.sessions import SessionHolder
from probes.jobs import JobClient
from probes.stopwatch import Stopwatch
from probes.store import StoreProbe
from probes.workspace import counted, fresh_value
from steps.fleet import statistics_of
from steps.rotation import REMOVED_WITHIN, await_removal
from steps.state import SharedState, serial_of

WARM_UP, AFTERWARDS = 6, 10
"""Connections before a fault, and after the balancers took its machine out of rotation."""

ENDED_WITHIN = timedelta(seconds=60)
SESSIONS_EACH = 2


@given(parsers.parse("a client that opens a new connection to the fleet every {milliseconds:d} milliseconds"), target_fixture="client")
def start_client(lab: Lab, clients: Clients, milliseconds: int) -> FleetClient:
    client = clients.start(FleetClient(lab, timedelta(milliseconds=milliseconds)))
    client.await_ended(WARM_UP, since=0.0, within=ENDED_WITHIN)
    return client


@when("the plug of the runner that answered last is pulled", target_fixture="fault")
def pull_plug(lab: Lab, breaker: Breaker, client: FleetClient) -> Fault:
    return breaker.inject(PlugPulled(runner_that_answered_last(lab, client.operations)))


@when("the SSH service of the runner that answered last is stopped", target_fixture="fault")
def stop_ssh(lab: Lab, breaker: Breaker, client: FleetClient) -> Fault:
    return breaker.inject(SshStopped(runner_that_answered_last(lab, client.operations)))


@when("the SSH service of the runner that answered last freezes", target_fixture="fault")
def freeze_ssh(lab: Lab, breaker: Breaker, client: FleetClient) -> Fault:
    return breaker.inject(SshFrozen(runner_that_answered_last(lab, client.operations)))


@when("its SSH service freezes", target_fixture="fault")
def freeze_target(breaker: Breaker, target: Machine) -> Fault:
    return breaker.inject(SshFrozen(target))


def _await_detection(lab: Lab, client: FleetClient, fault: Fault) -> float:
    """Wait until the balancers know of a fault, and connections were opened after that; when they knew, in monotonic seconds."""
    await_removal(lab, fault)
    left = time.monotonic()
    client.await_ended(AFTERWARDS, since=left, within=ENDED_WITHIN)
    return left


def _check_answered(client: FleetClient, fault: Fault, opened: Operations, when: str) -> None:
    """Each was answered, and by another runner than the one that is broken."""
    __tracebackhide__ = True
    for each in opened:
        assert each.ok, f"expected every connection to {client.lab.fleet.endpoint} opened {when} to be answered; observed {each}"
        assert each.who != fault.machine.name, f"expected another runner than {fault.machine.name} to answer; observed {each}"


@then("every connection opened from then on is answered by another runner")
def check_answered(lab: Lab, client: FleetClient, fault: Fault, measure: Callable[..., object]) -> None:
    _await_detection(lab, client, fault)
    opened = client.operations.opened_after(fault.struck_at).ended
    _check_answered(client, fault, opened, f"after {fault}")
    slowest = opened.longest()
    measure("connections opened after the fault, all answered", len(opened), "connections", fault=fault.title)
    if slowest is not None:
        measure("slowest of them", slowest.seconds, "s", fault=fault.title)


@then("it is told how many connections were under way")
def tell_under_way(client: FleetClient, fault: Fault, measure: Callable[..., object]) -> None:
    under_way = client.operations.in_flight_at(fault.struck_at)
    lost = [each for each in under_way if not each.ok and not each.under_way]
    measure("connections under way when it struck", len(under_way), "connections", fault=fault.title)
    measure("lost of those", len(lost), "connections", fault=fault.title)


@then("every connection opened after it left the rotation is answered by another runner")
def check_answered_after_removal(lab: Lab, client: FleetClient, fault: Fault) -> None:
    left = _await_detection(lab, client, fault)
    opened = client.operations.opened_after(left).ended
    _check_answered(client, fault, opened, f"after {fault.machine.name} left the rotation")


@then(parsers.parse("connections opened before that end within {seconds:d} seconds"))
def check_earlier_ones_end(client: FleetClient, fault: Fault, seconds: int, stopwatch: Stopwatch, measure: Callable[..., object]) -> None:
    left = time.monotonic()
    stopwatch.await_promise(
        lambda: [str(each) for each in client.operations.opened_before(left) if each.under_way],
        lambda hanging: not hanging,
        what=f"no connection hangs on {fault.machine.name}",
        within=seconds,
        since=left,
        name="earlier connections ended after",
        fault=fault.title,
    )
    lost = [each for each in client.operations.opened_after(fault.struck_at).ended if not each.ok]
    measure("connections lost before it left the rotation", len(lost), "connections", fault=fault.title)


@when("each runner in turn loses its power and comes back", target_fixture="outages")
def lose_each_runner(lab: Lab, breaker: Breaker, client: FleetClient) -> list[Fault]:
    outages: list[Fault] = []
    for runner in lab.runners:
        fault = breaker.inject(PlugPulled(runner))
        _await_detection(lab, client, fault)
        breaker.heal(fault)
        wait_until(
            lambda machine=runner: [name for name, seen in statistics_of(lab).items() if not seen.in_rotation(machine.name)],  # type: ignore[misc]
            lambda without: not without,
            what=f"every balancer has {runner.name} in rotation again",
            within=REMOVED_WITHIN,
        )
        outages.append(fault)
    return outages


@then("every connection opened while a runner was dead is answered by another runner")
def check_outages(client: FleetClient, outages: list[Fault], measure: Callable[..., object]) -> None:
    for fault in outages:
        relieved = fault.relieved_at or time.monotonic()  # it serves again before a slow driver says so
        opened = client.operations.opened_after(fault.struck_at).opened_before(relieved).ended
        assert len(opened) >= AFTERWARDS, f"expected {AFTERWARDS} connections while {fault.machine.name} was dead; observed {len(opened)}"
        _check_answered(client, fault, opened, f"while {fault.machine.name} was dead")
        measure("connections while a runner was dead, all answered", len(opened), "connections", machine=fault.machine.name)


@when("all runners but one lose their power", target_fixture="last_runner")
def lose_all_but_one(lab: Lab, breaker: Breaker) -> Machine:
    *lost, last = lab.runners
    faults = [breaker.inject(PlugPulled(runner)) for runner in lost]
    for fault in faults:
        await_removal(lab, fault)
    return last


@then("a pipeline job through the endpoint still applies a change")
def check_last_runner(jobs: JobClient, store: StoreProbe, shared: SharedState, last_runner: Machine) -> None:
    outcome = jobs.through_endpoint(counted(shared.key, fresh_value()), do.apply())
    assert outcome.ok, f"expected {last_runner.name} alone to do the job; observed:\n{outcome}"
    assert outcome.runner == last_runner.name, f"expected {last_runner.name} to do the job; observed {outcome.runner}"
    now = serial_of(store, shared.key)
    assert now == shared.serials[-1] + 1, f"expected serial {shared.serials[-1] + 1}; observed {now}"


@dataclass
class Sessions:
    """Long sessions, and the moment a runner of some of them died."""

    holder: SessionHolder
    lost: list[Fault] = field(default_factory=list)


@given("sessions to the fleet, two for each runner", target_fixture="sessions_held")
def hold_sessions(lab: Lab, clients: Clients) -> Sessions:
    return Sessions(clients.start(SessionHolder(lab, SESSIONS_EACH * len(lab.runners))))


@when("the plug of a runner with sessions is pulled", target_fixture="fault")
def pull_plug_of_session(lab: Lab, breaker: Breaker, sessions_held: Sessions) -> Fault:
    with_sessions = [runner for runner in lab.runners if sessions_held.holder.with_runner(runner.name)]
    return breaker.inject(PlugPulled(with_sessions[-1]))


@then(parsers.parse("its sessions are ended within {seconds:d} seconds"))
def check_sessions_ended(sessions_held: Sessions, fault: Fault, seconds: int, stopwatch: Stopwatch) -> None:
    stopwatch.await_promise(
        lambda: [str(each) for each in sessions_held.holder.operations.labelled(runner=fault.machine.name) if each.under_way],
        lambda hanging: not hanging,
        what=f"no session with {fault.machine.name} hangs",
        within=seconds,
        since=fault.struck_at,
        name="sessions with the dead runner ended after",
    )


@then("the sessions to all other runners live on")
def check_sessions_live(sessions_held: Sessions, fault: Fault) -> None:
    others = sessions_held.holder.operations.where(lambda each: each.labels.get("runner") != fault.machine.name)
    assert others, "expected sessions with other runners; observed none"
    for each in others:
        assert each.under_way, f"expected the sessions with other runners to live on; observed {each}"
