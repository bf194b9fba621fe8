"""Continuous clients in a lab without faults see none, and see what is done to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model.history import Outcome
from model.lab import Lab
from model.waiting import wait_until
from probes.apply_loop import ApplyLoop
from probes.clients.fleet import FleetClient
from probes.clients.paced import Client
from probes.clients.sessions import SessionHolder
from probes.clients.store import StoreClient
from probes.outcomes import Reached
from probes.state_histories import StateHistories
from tests.contract.clients.conftest import Inside

RUNNERS = ["runner01", "runner02", "runner03"]
PATIENCE = timedelta(seconds=60)
IN_SESSIONS = "'[k]ill -0 .PPID'"
"""What runs in a session of ours, for pgrep(1), which does not find itself by it."""


def play(inside: Inside, client: Client, count: int) -> None:
    """Run a client until so many of its operations have ended."""
    inside(client.start)
    try:
        inside(client.await_ended, count, since=client.history.began, within=PATIENCE)
    finally:
        inside(client.stop)
    client.check()


def test_every_runner_answers_and_no_connection_fails(lab: Lab, inside: Inside) -> None:
    client = FleetClient(lab)
    play(inside, client, 25)
    assert client.operations.failed == ()
    assert list(client.operations.ok.by_who()) == RUNNERS
    assert {each.labels["reached"] for each in client.operations.ok} == {Reached.ANSWERED}


def test_without_logging_in_it_is_known_who_answered(lab: Lab, inside: Inside) -> None:
    client = FleetClient(lab, log_in=False)
    play(inside, client, 10)
    assert client.operations.failed == ()
    assert list(client.operations.ok.by_who()) == RUNNERS


def test_a_connection_to_nobody_is_a_failure_with_its_kind(lab: Lab, inside: Inside) -> None:
    client = FleetClient(lab, timedelta(milliseconds=50), connect_within=timedelta(seconds=2))
    lab.balancers[0].run("systemctl stop haproxy")
    try:
        play(inside, client, 3)
    finally:
        lab.balancers[0].run("systemctl start haproxy")
    assert client.operations.ok == ()
    assert {(each.outcome, each.who, each.labels["reached"]) for each in client.operations.ended.failed} == {
        (Outcome.FAILED, "", Reached.REFUSED.value)
    }


def test_sessions_live_until_they_are_ended_and_it_is_known_by_whom(lab: Lab, inside: Inside) -> None:
    holder = SessionHolder(lab, 3)
    inside(holder.start)
    try:
        wait_until(lambda: sum(map(holder.with_runner, RUNNERS)), lambda count: count == 3, what="three sessions are held", within=PATIENCE)
        victim = holder.operations[0].labels["runner"]
        lab.machines[victim].run(f"pkill -f {IN_SESSIONS}")
        ended = wait_until(lambda: holder.operations.ended, bool, what="a session ends", within=PATIENCE).value
    finally:
        inside(holder.stop)
    holder.check()
    assert {each.who for each in ended} == {victim}
    with_victim = holder.operations.where(lambda each: each.who == victim)
    assert with_victim.outcomes == {Outcome.FAILED: len(with_victim)}
    others = holder.operations.where(lambda each: each.who != victim)
    assert {each.detail for each in others} <= {"lived until the client was stopped"}
    for runner in lab.runners:
        left = lambda machine=runner: machine.run(f"pgrep -f {IN_SESSIONS}").stdout  # noqa: E731 - a look
        wait_until(left, "".__eq__, what=f"nothing of the sessions is left on {runner.name}", within=timedelta(seconds=10))


def test_the_store_answers_and_no_read_is_stale(lab: Lab, inside: Inside) -> None:
    client = StoreClient(lab, "acceptance/contract/store-client/object", timedelta(milliseconds=100))
    play(inside, client, 30)
    assert client.operations.failed == ()
    assert len(client.operations.named("write").ok) >= 5
    assert client.stale_reads() == ()
    assert len({each.labels["value"] for each in client.operations.named("read").ok}) >= 3


@pytest.mark.parametrize("through", ["runners in turn", "endpoint"])
def test_applies_in_a_loop_leave_a_sound_history(lab: Lab, inside: Inside, states: StateHistories, key: str, through: str) -> None:
    keys = [key, key + ".second"]
    loop = ApplyLoop(lab, keys, lab.runners if through == "runners in turn" else None)
    for each in keys:
        states.watch(each, loop.history)
    play(inside, loop, 8)
    assert loop.unexcused == ()
    assert set(loop.applies.ok.by_who()) == set(RUNNERS)
    judged = inside(states.check)
    assert [(each.key, each.remarks) for each in judged] == [(each, ()) for each in keys]
    assert sum(each.serials for each in judged) == sum(each.applies for each in judged) == len(loop.applies)


def test_an_apply_that_is_cut_is_unknown_and_its_lock_is_told(lab: Lab, inside: Inside, states: StateHistories, key: str) -> None:
    loop = ApplyLoop(lab, [key])
    states.watch(key, loop.history)
    inside(loop.start)
    inside(loop.await_ended, 1, since=loop.history.began, within=PATIENCE)
    wait_until(lambda: loop._jobs, bool, what="the next job is under way", within=PATIENCE, every=timedelta(milliseconds=10))
    inside(loop.stop, timedelta())
    loop.check()
    assert loop.applies[-1].outcome is Outcome.UNKNOWN
    assert inside(states.check)[0].key == key
