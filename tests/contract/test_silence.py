"""A suspended machine and one without a cable are both silent; only the second one works on meanwhile."""

from __future__ import annotations

import time
from itertools import pairwise

from model.lab import Lab, Machine
from model.waiting import REAL_CLOCK, wait_until
from provisioning.embedded.machine import EmbeddedMachine
from tests.contract.peer import PATIENCE, Peer, ticks

WHILE_SECONDS = 1.5


def silence_of(runner: Machine, peer: Peer) -> tuple[float, float]:
    """Times between which nothing came, seconds since the epoch."""
    began = time.time()
    assert peer.attempt(runner) == "silent"
    REAL_CLOCK.pause(max(WHILE_SECONDS - (time.time() - began), 0))
    return began, time.time()


def test_a_suspended_machine_stands_still_and_its_sessions_go_on_after_it(runner: Machine, other: Machine, peer: Peer) -> None:
    with peer.ticking(runner) as session:
        runner.suspend()
        assert runner.is_on()
        began, ended = silence_of(runner, peer)
        assert peer.answers(other)
        runner.resume()
        wait_until(lambda: ticks(session)[-1], lambda last: last > ended, what="the session goes on", within=PATIENCE)
        assert not session.ended
        meanwhile = [tick for tick in ticks(session) if began + 0.2 < tick < ended]
    assert meanwhile == []
    assert peer.attempt(runner) == "open"


def test_a_suspended_machine_can_lose_power(runner: Machine, peer: Peer) -> None:
    runner.suspend()
    runner.cut_power()
    assert not runner.is_on()
    assert peer.attempt(runner) == "silent"


def test_a_suspended_container_stands_still_and_leaves_no_process_when_it_loses_power(own_runner: EmbeddedMachine) -> None:
    own_runner.suspend()
    assert own_runner.is_suspended()
    own_runner.cut_power()
    assert own_runner.cgroup.processes() == set()


def test_what_is_undone_twice_is_undone(runner: Machine, peer: Peer) -> None:
    runner.resume()
    runner.reconnect()
    runner.disconnect()
    runner.reconnect()
    runner.reconnect()
    assert peer.attempt(runner) == "open"
    runner.suspend()
    runner.resume()
    runner.resume()
    assert peer.answers(runner)


def test_a_machine_without_cable_works_on_and_its_sessions_survive(runner: Machine, other: Machine, owned: Lab, peer: Peer) -> None:
    with peer.ticking(runner) as session:
        runner.disconnect()
        assert owned.machines[runner.name].run("true").ok
        heard = len(ticks(session))
        began, ended = silence_of(runner, peer)
        assert len(ticks(session)) <= heard + 1
        assert peer.answers(other)
        runner.reconnect()
        wait_until(lambda: ticks(session)[-1], lambda last: last > ended, what="the session goes on", within=PATIENCE)
        told = [tick for tick in ticks(session) if began <= tick <= ended]
    assert len(told) > 3
    assert max(later - earlier for earlier, later in pairwise(told)) < ended - began
    assert peer.attempt(runner) == "open"
