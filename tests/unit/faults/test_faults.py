"""Every fault proves from outside that it happened, heals without harm, and proves that it is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults.fault import EFFECT_WITHIN, GONE_WITHIN, Fault
from faults.power import PlugPulled, Reboot, ShutDown
from faults.service import STOP_SSH, ProcessKilled, ServiceFrozen, ServiceRestarted, SshStopped
from faults.service_fault import ANOTHER_WITHIN
from faults.units import process_states
from model.errors import AbilityMissing, ControlChannelLost, DeadlineMissed, FaultHadNoEffect
from model.lab import Ability, CommandResult
from tests.unit.faults.conftest import FakeMachine, World

UNIT = "minio.service"

FAULTS: dict[str, tuple[Callable[[FakeMachine], Fault], Ability, str]] = {
    "plug pulled": (PlugPulled, Ability.CUT_POWER, "cut power"),
    "shut down": (ShutDown, Ability.SHUT_DOWN, "shut down"),
    "rebooted": (Reboot, Ability.REBOOT, "reboot"),
    "SSH stopped": (SshStopped, Ability.CONTROL, STOP_SSH),
    "restarted": (lambda machine: ServiceRestarted(machine, UNIT), Ability.CONTROL, f"systemctl restart {UNIT}"),
    "killed": (lambda machine: ProcessKilled(machine, UNIT), Ability.CONTROL, "kill -KILL 100"),
}


@pytest.fixture(params=FAULTS)
def kind(request: pytest.FixtureRequest) -> tuple[Callable[[FakeMachine], Fault], Ability, str]:
    found: tuple[Callable[[FakeMachine], Fault], Ability, str] = FAULTS[request.param]
    return found


def test_a_fault_does_one_thing_and_proves_it(machine: FakeMachine, kind: tuple[Callable[[FakeMachine], Fault], Ability, str]) -> None:
    make, _, done = kind
    fault = make(machine)
    assert machine.journal == [], "choosing a target does nothing to it"
    fault.strike()
    assert machine.journal == [done]
    assert fault.struck_at == fault.injected_at
    assert machine.name in repr(fault)


def test_a_fault_without_effect_is_no_finding(
    machine: FakeMachine, kind: tuple[Callable[[FakeMachine], Fault], Ability, str], world: World
) -> None:
    make, _, done = kind
    fault = make(machine)
    machine.deaf_to.add(done)
    with pytest.raises(FaultHadNoEffect, match=machine.name):
        fault.strike()
    assert fault.injected_at is not None
    assert world.seconds <= max(EFFECT_WITHIN, ANOTHER_WITHIN).total_seconds() + 1


def test_a_fault_needs_its_ability(machine: FakeMachine, kind: tuple[Callable[[FakeMachine], Fault], Ability, str]) -> None:
    make, ability, _ = kind
    machine.abilities = frozenset(Ability) - {ability}
    with pytest.raises(AbilityMissing, match=machine.name):
        make(machine)
    assert machine.journal == []


def test_after_healing_the_machine_serves_and_healing_twice_does_nothing(
    machine: FakeMachine, kind: tuple[Callable[[FakeMachine], Fault], Ability, str]
) -> None:
    fault = kind[0](machine)
    fault.strike()
    fault.undo()
    fault.prove_recovery()
    assert (machine.on, machine.sshd, machine.pid > 0) == (True, True, True)
    healed_at, journal = fault.healed_at, list(machine.journal)
    assert fault.relieved_at is not None
    assert fault.struck_at <= fault.relieved_at <= (healed_at or 0.0)
    fault.undo()
    assert (fault.healed_at, machine.journal) == (healed_at, journal)


def test_healing_does_no_harm_where_nothing_is_broken(
    machine: FakeMachine, kind: tuple[Callable[[FakeMachine], Fault], Ability, str]
) -> None:
    fault = kind[0](machine)
    boot, pid = machine.boot, machine.pid
    fault.heal()
    fault.heal()
    assert (machine.on, machine.sshd, machine.boot, machine.pid) == (True, True, boot, pid)


def test_a_fault_that_struck_again_is_healed_again(machine: FakeMachine, kind: tuple[Callable[[FakeMachine], Fault], Ability, str]) -> None:
    fault = kind[0](machine)
    for _ in range(2):
        if isinstance(fault, ServiceRestarted):
            fault = kind[0](machine)
        fault.strike()
        assert fault.healed_at is None
        fault.undo()
        assert fault.healed_at is not None
        fault.prove_recovery()


def test_what_could_not_be_healed_is_tried_again(machine: FakeMachine) -> None:
    fault = PlugPulled(machine)
    fault.strike()
    machine.power_on = lambda: (_ for _ in ()).throw(ControlChannelLost("no power"))  # type: ignore[method-assign]
    with pytest.raises(ControlChannelLost):
        fault.undo()
    assert fault.healed_at is None
    del machine.power_on
    fault.undo()
    assert machine.on


def test_a_machine_that_does_not_come_back_is_a_missed_deadline(machine: FakeMachine, world: World) -> None:
    fault = PlugPulled(machine)
    fault.strike()
    machine.deaf_to.add("power on")
    fault.undo()
    before = world.seconds
    with pytest.raises(DeadlineMissed, match=r"SSH on runner01 answers again within 30 s.*silent"):
        fault.prove_recovery()
    assert world.seconds - before == pytest.approx(GONE_WITHIN.total_seconds(), abs=0.1)


@pytest.mark.parametrize("make", [SshStopped, lambda machine: ServiceRestarted(machine, UNIT)])
def test_a_service_of_a_machine_without_power_is_not_healed(machine: FakeMachine, make: Callable[[FakeMachine], Fault]) -> None:
    fault = make(machine)
    fault.strike()
    machine.on, before = False, list(machine.journal)
    fault.undo()
    assert machine.journal == before


def test_when_it_struck_is_only_known_once_it_did(machine: FakeMachine) -> None:
    with pytest.raises(FaultHadNoEffect, match="never injected"):
        _ = PlugPulled(machine).struck_at


def test_a_plug_that_was_pulled_is_silent_and_does_not_refuse(machine: FakeMachine) -> None:
    fault = PlugPulled(machine)
    machine.cut_power = lambda: setattr(machine, "sshd", False)  # type: ignore[method-assign]
    with pytest.raises(FaultHadNoEffect, match=r"is silent or unreachable after PlugPulled within 10 s; .* refused"):
        fault.strike()


@pytest.mark.parametrize("make", [ProcessKilled, ServiceRestarted])
def test_a_unit_without_a_process_is_neither_killed_nor_restarted(
    machine: FakeMachine, make: Callable[[FakeMachine, str], ServiceRestarted]
) -> None:
    machine.pid = 0
    fault = make(machine, UNIT)
    with pytest.raises(FaultHadNoEffect, match=r"minio\.service on runner01 has no process"):
        fault.strike()
    assert machine.journal == [], "`kill 0` would end the shell that runs it"


def test_a_process_that_came_back_at_once_was_killed(machine: FakeMachine) -> None:
    fault = ProcessKilled(machine, UNIT)
    fault.strike()
    assert machine.pid == 101


def test_a_restart_that_leaves_no_process_is_not_proven(machine: FakeMachine) -> None:
    fault = ServiceRestarted(machine, UNIT)
    machine._do = lambda command: setattr(machine, "pid", 0)  # type: ignore[method-assign]
    with pytest.raises(FaultHadNoEffect, match=r"within 15 s; last seen after 15\.0 s: 0"):
        fault.strike()
    fault.undo()
    assert any("systemctl start" in line for line in machine.journal)


SILENCE = CommandResult("any", 0, "\n", "")
FAILURE = CommandResult("any", 1, "", "Failed to connect to bus")


@pytest.mark.parametrize("answer", [SILENCE, FAILURE])
@pytest.mark.parametrize(
    ("make", "asks"),
    [
        (Reboot, "boot_id"),
        (lambda machine: ServiceRestarted(machine, UNIT), "MainPID"),
        (lambda machine: ProcessKilled(machine, UNIT), "MainPID"),
    ],
)
def test_no_answer_is_taken_for_a_proof(
    machine: FakeMachine, make: Callable[[FakeMachine], Fault], asks: str, answer: CommandResult
) -> None:
    fault = make(machine)
    machine.fails[asks] = answer
    with pytest.raises(ControlChannelLost, match="runner01"):
        fault.strike()
    assert machine.journal == [], "what could not be proven afterwards is not done"


def test_a_command_that_fails_is_told_with_its_words(machine: FakeMachine) -> None:
    fault = ServiceRestarted(machine, UNIT)
    machine.fails["restart"] = FAILURE
    with pytest.raises(ControlChannelLost, match=r"`systemctl restart minio\.service` on runner01 failed with 1: Failed to connect to bus"):
        fault.strike()
    assert fault.injected_at is None


@pytest.mark.parametrize(
    ("listed", "stands_still"),
    [
        ("100 Ts minio.service 1\n101 Tl minio.service 1\n100\n99\n", True),
        ("100 Ts minio.service 1\n743 Z minio.service 1\n100\n99\n", True),
        ("100 Ts minio.service 1\n101 Sl minio.service 1\n100\n99\n", False),
        ("100 Zs minio.service 1\n100\n99\n", False),
        ("101 T minio.service 1\n100\n99\n", False),
    ],
)
def test_what_has_ended_stands_still(
    machine: FakeMachine, world: World, monkeypatch: pytest.MonkeyPatch, listed: str, stands_still: bool
) -> None:
    """A frozen parent does not ask for its children's exit status; a zombie is no sign of life."""
    fault = ServiceFrozen(machine, UNIT)
    monkeypatch.setattr(fault, "expect_at_ports", lambda _wanted, _what: None)
    fault.look_before()
    fault.inject()
    machine.fails["ps "] = CommandResult("ps", 0, listed, "")
    if stands_still:
        fault.prove_effect()
    else:
        with pytest.raises(FaultHadNoEffect, match="stands still"):
            fault.prove_effect()
    assert world.seconds <= EFFECT_WITHIN.total_seconds() + 1


ROWS = """1 Ss init.scope 0
{listener} Ss ssh.service 1
7788 S ssh.service {parent}
7790 T ssh.service {listener}
9001 S ssh.service 7788
9002 R ssh.service 9001
{listener}
9001
"""


@pytest.mark.parametrize("parent", ["500", "1"], ids=["a child of the listener", "survived its listener"])
def test_our_own_session_is_none_of_the_units_processes_and_the_listener_is(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, parent: str
) -> None:
    said = ROWS.format(listener="500", parent=parent)
    monkeypatch.setattr(machine, "run", lambda command, **_: CommandResult(command, 0, said, ""))
    assert process_states(machine, "ssh.service") == {"500": "S", "7790": "T"}
