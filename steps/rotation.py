"""Sentences about faults of runners, and how the balancers get over them."""

from __future__ import annotations

import time
from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.power import PlugPulled, ShutDown
from faults.service import SshStopped
from model.errors import PromiseBroken
from model.lab import Lab, Machine
from model.waiting import wait_until
from probes import ssh
from probes.power import expect_power
from probes.statistics import read_page
from probes.stopwatch import Stopwatch
from steps.fleet import Connections, statistics_of

CONNECTIONS_EACH = 3
REMOVED_WITHIN = timedelta(seconds=60)
UNCHECKED = "no check"


@given("a runner that answered a connection to the fleet", target_fixture="target")
def runner_that_answered(lab: Lab) -> Machine:
    outcome = ssh.run(ssh.fleet_login(lab), "hostname")
    name = ssh.who_answered(lab, outcome)
    if name is None:
        raise PromiseBroken(f"expected a runner to answer at {lab.fleet.endpoint}; observed {outcome}")
    return lab.machines[name]


@when("its plug is pulled", target_fixture="fault")
def pull_plug(breaker: Breaker, target: Machine) -> Fault:
    return breaker.inject(PlugPulled(target))


@when("it is shut down", target_fixture="fault")
@when("it is told to shut down now", target_fixture="fault")
def shut_down(breaker: Breaker, target: Machine) -> Fault:
    return breaker.inject(ShutDown(target))


@when("its SSH service is stopped", target_fixture="fault")
def stop_ssh(breaker: Breaker, target: Machine) -> Fault:
    return breaker.inject(SshStopped(target))


@given("a runner whose SSH service is stopped", target_fixture="fault")
def runner_without_ssh(lab: Lab, breaker: Breaker) -> Fault:
    expect_power(lab.runners[-1:])
    return breaker.inject(SshStopped(lab.runners[-1]))


def balancers_with(lab: Lab, machine: Machine) -> dict[str, str]:
    """The balancers that would send a connection to a machine, or that do not say; each with its words about the machine."""
    return {
        name: ", ".join(server.raw_status for server in statistics.named(machine.name)) or str(statistics)
        for name, statistics in statistics_of(lab).items()
        if not statistics.available or statistics.in_rotation(machine.name)
    }


def check_removal_within(lab: Lab, fault: Fault, seconds: int, stopwatch: Stopwatch, name: str) -> None:
    """Wait until no balancer has the machine in rotation; measured under a name, judged by the threshold in seconds."""
    stopwatch.await_promise(
        lambda: balancers_with(lab, fault.machine),
        lambda balancers: not balancers,
        what=f"no balancer has {fault.machine.name} in rotation",
        within=seconds,
        since=fault.struck_at,
        name=name,
        fault=fault.title,
    )


@given("the balancers have taken it out of rotation")
def await_removal(lab: Lab, fault: Fault) -> None:
    """Wait until no balancer has the machine in rotation; one that does not check it never takes it out.

    Raises:
        PromiseBroken: One has, after a minute or for ever.
    """
    wait_until(
        lambda: balancers_with(lab, fault.machine),
        lambda balancers: not balancers,
        what=f"no balancer has {fault.machine.name} in rotation",
        within=REMOVED_WITHIN,
        give_up_when=lambda balancers: UNCHECKED in balancers.values(),
        error=PromiseBroken,
    )


@then(parsers.parse("it is out of rotation within {seconds:d} seconds"))
def check_removal(lab: Lab, fault: Fault, seconds: int, stopwatch: Stopwatch) -> None:
    check_removal_within(lab, fault, seconds, stopwatch, "out of rotation after")


@then("new connections are answered by the other runners")
@then("the next connections to the fleet are answered by another runner")
def check_others_answer(lab: Lab, fault: Fault) -> None:
    login = ssh.fleet_login(lab)
    for number in range(1, CONNECTIONS_EACH * len(lab.runners) + 1):
        outcome = ssh.run(login, "hostname")
        assert outcome.ok, (
            f"expected connection {number} to {lab.fleet.endpoint} to be answered while {fault.machine.name} is down; observed {outcome}"
        )
        who = ssh.who_answered(lab, outcome)
        assert who != fault.machine.name, (
            f"expected another runner than {fault.machine.name}; observed that it answered connection {number}"
        )


@then("no connection went to that runner")
def check_not_used(fault: Fault, connections: Connections) -> None:
    count = connections.names()[fault.machine.name]
    assert count == 0, f"expected no connection to {fault.machine.name}; observed {count}"


@then(parsers.parse("once it is repaired, it is used again within {seconds:d} seconds of answering directly"))
def check_return(lab: Lab, fault: Fault, seconds: int, stopwatch: Stopwatch) -> None:
    fault.undo()
    fault.prove_recovery()
    answered_directly = time.monotonic()
    login = ssh.fleet_login(lab)
    stopwatch.await_promise(
        lambda: ssh.who_answered(lab, ssh.run(login, "true")),
        lambda who: who == fault.machine.name,
        what=f"{fault.machine.name} answers a connection to the fleet again",
        within=seconds,
        since=answered_directly,
        name="used again after",
        fault=fault.title,
    )


@then(parsers.parse("the statistics page shows it as down within {seconds:d} seconds"))
def check_page(lab: Lab, fault: Fault, seconds: int, stopwatch: Stopwatch) -> None:
    check_removal_within(lab, fault, seconds, stopwatch, "shown as down after")
    for balancer in lab.balancers:
        page = read_page(balancer.at(lab.topology.statistics_port))
        assert page.is_html, f"expected the statistics page of {balancer.name}; observed {page}"
        assert fault.machine.name in page.body, (
            f"expected {fault.machine.name} on the statistics page of {balancer.name}; observed that it is missing"
        )
    for name, statistics in statistics_of(lab).items():
        words = [server.status for server in statistics.named(fault.machine.name)]
        assert words == ["DOWN"], f"expected {name} to show {fault.machine.name} as DOWN; observed {words}"
