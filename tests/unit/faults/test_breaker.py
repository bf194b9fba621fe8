"""Whoever breaks something owes its healing before it breaks, and recovery once."""

from __future__ import annotations

import time

import pytest

from faults.breaker import Breaker
from faults.power import PlugPulled, ShutDown
from faults.service import SshStopped
from model.aftermath import Aftermath
from model.errors import ControlChannelLost, FaultHadNoEffect, LabUnavailable, UnsafeLab
from tests.unit.faults.conftest import FakeMachine, World


class Bench:
    """A breaker, what it owes, and what it asked for."""

    def __init__(self) -> None:
        """Owe nothing yet."""
        self.asked: list[str] = []
        self.aftermath = Aftermath()
        self.unsteady = False
        self.breaker = Breaker(self.aftermath, self.steady, self.recovered)

    def steady(self) -> None:
        self.asked.append("steady")
        if self.unsteady:
            msg = "the lab is not as it came"
            raise LabUnavailable(msg)

    def recovered(self) -> None:
        self.asked.append("recovered")

    def settle(self) -> None:
        """As the aftermath of a scenario does it."""
        for heal in reversed(self.aftermath.heals):
            heal()
        for recovery in reversed(self.aftermath.recoveries):
            recovery()


@pytest.fixture
def bench(world: World) -> Bench:
    return Bench()


@pytest.fixture
def other(world: World) -> FakeMachine:
    return world.machine("runner02", "10.1.0.104")


def test_a_fault_is_injected_proven_healed_and_recovered_from(bench: Bench, machine: FakeMachine) -> None:
    fault = bench.breaker.inject(PlugPulled(machine))
    assert (machine.on, bench.asked, bench.breaker.faults) == (False, ["steady"], [fault])
    bench.settle()
    assert (machine.on, bench.asked) == (True, ["steady", "recovered"])
    assert fault.healed_at is not None


def test_the_newest_fault_is_healed_first_and_recovery_is_owed_once(bench: Bench, machine: FakeMachine, other: FakeMachine) -> None:
    order: list[str] = []
    for target in (machine, other):
        fault = PlugPulled(target)
        fault.heal = lambda name=target.name: order.append(name)  # type: ignore[method-assign,misc]
        bench.breaker.inject(fault)
    bench.settle()
    assert order == ["runner02", "runner01"]
    assert bench.asked == ["steady", "recovered"]


def test_a_lab_that_is_not_steady_is_not_broken(bench: Bench, machine: FakeMachine) -> None:
    bench.unsteady = True
    with pytest.raises(LabUnavailable):
        bench.breaker.inject(PlugPulled(machine))
    assert machine.on
    assert (bench.aftermath.heals, bench.aftermath.recoveries, bench.breaker.faults) == ([], [], [])


def test_a_second_fault_of_a_machine_is_refused(bench: Bench, machine: FakeMachine, other: FakeMachine) -> None:
    bench.breaker.inject(SshStopped(machine))
    with pytest.raises(UnsafeLab, match="runner01 already has a fault that is not healed: <SshStopped runner01>"):
        bench.breaker.inject(ShutDown(machine))
    assert (machine.on, len(bench.aftermath.heals), len(bench.breaker.faults)) == (True, 1, 1)
    bench.breaker.inject(ShutDown(other))
    assert not other.on


def test_the_same_fault_is_refused_while_it_lasts(bench: Bench, machine: FakeMachine) -> None:
    fault = bench.breaker.inject(PlugPulled(machine))
    with pytest.raises(UnsafeLab):
        bench.breaker.inject(fault)


def test_a_machine_that_was_healed_may_be_broken_again(bench: Bench, machine: FakeMachine) -> None:
    first = bench.breaker.inject(SshStopped(machine))
    first.undo()
    bench.breaker.inject(PlugPulled(machine))
    bench.settle()
    assert machine.journal.count("power on") == 1
    assert (machine.on, machine.sshd) == (True, True)


def test_the_same_fault_struck_again_is_healed_again(bench: Bench, machine: FakeMachine) -> None:
    fault = bench.breaker.inject(PlugPulled(machine))
    fault.undo()
    bench.breaker.inject(fault)
    assert not machine.on
    bench.settle()
    assert machine.on
    assert machine.journal.count("power on") == 2


def test_a_fault_without_effect_is_healed_all_the_same(bench: Bench, machine: FakeMachine) -> None:
    machine.deaf_to.add("shut down")
    with pytest.raises(FaultHadNoEffect):
        bench.breaker.inject(ShutDown(machine))
    machine.on = False  # it happened after all, only later
    bench.settle()
    assert machine.on


def test_a_fault_that_broke_half_way_is_healed(bench: Bench, machine: FakeMachine) -> None:
    def half_way() -> None:
        machine.on = False
        msg = "the connection was lost"
        raise ControlChannelLost(msg)

    fault = PlugPulled(machine)
    fault.inject = half_way  # type: ignore[method-assign]
    with pytest.raises(ControlChannelLost):
        bench.breaker.inject(fault)
    with pytest.raises(UnsafeLab):
        bench.breaker.inject(SshStopped(machine))
    bench.settle()
    assert machine.on


def test_healing_is_owed_before_the_fault_strikes(bench: Bench, machine: FakeMachine) -> None:
    owed: list[int] = []
    fault = PlugPulled(machine)
    fault.strike = lambda *_: owed.append(len(bench.aftermath.heals))  # type: ignore[method-assign]
    bench.breaker.inject(fault)
    assert owed == [1]


def test_a_fault_is_healed_now_and_the_next_one_finds_a_steady_lab(
    bench: Bench, machine: FakeMachine, other: FakeMachine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    first = bench.breaker.inject(PlugPulled(machine))
    assert bench.breaker.unhealed == [first]
    bench.breaker.heal(first)
    bench.breaker.heal(first)
    assert (machine.on, bench.breaker.unhealed) == (True, [])
    bench.breaker.inject(SshStopped(other))
    bench.settle()
    assert bench.asked == ["steady", "steady", "recovered"]
    assert machine.journal.count("power on") == 1
    assert [word for word in ("fault: plug pulled on runner01", "healed: plug pulled on runner01") if word not in caplog.text] == []


def test_what_cannot_be_healed_is_told(bench: Bench, machine: FakeMachine, caplog: pytest.LogCaptureFixture) -> None:
    fault = bench.breaker.inject(PlugPulled(machine))

    def no_power() -> None:
        msg = "no power"
        raise ControlChannelLost(msg)

    machine.power_on = no_power  # type: ignore[method-assign]
    with pytest.raises(ControlChannelLost):
        bench.breaker.heal(fault)
    assert "could not be healed: plug pulled on runner01: no power" in caplog.text
    assert bench.breaker.unhealed == [fault]


def test_a_fault_of_somebody_else_is_not_healed_here(bench: Bench, machine: FakeMachine) -> None:
    with pytest.raises(UnsafeLab, match="<PlugPulled runner01> cannot be healed, as it was not injected here"):
        bench.breaker.heal(PlugPulled(machine))


def test_times_are_kept_for_the_record_each_time_it_strikes(bench: Bench, machine: FakeMachine) -> None:
    before = time.time()
    fault = bench.breaker.inject(PlugPulled(machine))
    [first] = bench.breaker.strikes
    assert (first.title, first.machines, first.healed) == (PlugPulled.title, ("runner01",), None)
    fault.undo()
    bench.breaker.inject(fault)
    bench.settle()
    again = bench.breaker.strikes[1]
    moments = [first.injected, first.proven, first.healed, again.injected, again.proven, again.healed]
    known = [moment for moment in moments if moment is not None]
    assert len(known) == len(moments)
    assert (told := [before, *known, time.time()]) == sorted(told)


def test_a_fault_without_effect_is_in_the_record_too(bench: Bench, machine: FakeMachine) -> None:
    machine.deaf_to.add("cut power")
    with pytest.raises(FaultHadNoEffect):
        bench.breaker.inject(PlugPulled(machine))
    [strike] = bench.breaker.strikes
    assert (strike.injected is None, strike.proven) == (False, None)


def test_connections_made_before_are_dropped_after_a_fault_and_after_healing(world: World, machine: FakeMachine) -> None:
    dropped: list[bool] = []
    breaker = Breaker(Aftermath(), lambda: None, lambda: None, lambda: dropped.append(machine.on))
    fault = breaker.inject(PlugPulled(machine))
    assert dropped == [False]
    breaker.heal(fault)
    assert dropped == [False, True]
