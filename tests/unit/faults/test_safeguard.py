"""Before a lab is broken that is not ours: written down, and a timer where the machine can help itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.breaker import Breaker
from faults.dead_man import DeadMan, Timer
from faults.power import PlugPulled
from faults.registry import kinds
from faults.safeguard import Safeguard
from faults.service import ServiceStopped, SshStopped
from model.aftermath import Aftermath
from model.errors import AbilityMissing, ControlChannelLost
from model.journal import Journal, read_journal
from model.lab import Ability, CommandResult
from model.remedy import Deed
from tests.unit.faults.conftest import FakeMachine

REFUSES = CommandResult("systemd-run", 1, "", "no systemd here")


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Safeguard]:
    safeguard = Safeguard(Journal(tmp_path / "journal.ndjson"), DeadMan("run"))
    yield safeguard
    safeguard.close()
    safeguard.journal.close()


def breaker(guard: Safeguard) -> Breaker:
    return Breaker(Aftermath(), lambda: None, lambda: None, guard=guard)


def armed(machine: FakeMachine) -> list[str]:
    """What the machine's timers would do."""
    found = [re.search(r"echo (\S+) \| base64 -d", line) for line in machine.journal if line.startswith("systemd-run")]
    return [base64.b64decode(each[1]).decode() for each in found if each]


def test_it_is_written_down_and_armed_before_it_is_broken(guard: Safeguard, machine: FakeMachine) -> None:
    broken = breaker(guard)
    fault = broken.inject(SshStopped(machine))
    first = next(number for number, line in enumerate(machine.journal) if "systemctl stop ssh.socket" in line)
    assert any(line.startswith("systemd-run") for line in machine.journal[:first])
    assert ["systemctl start ssh.service" in script for script in armed(machine)] == [True]
    assert [owed.what for owed in read_journal(guard.journal.path).broken.values()] == ["SSH stopped on runner01"]
    assert guard.owes
    broken.heal(fault)
    assert machine.journal[-1].strip().startswith("systemctl stop tha-undo-run-1-1.timer")
    assert not read_journal(guard.journal.path).broken
    assert not guard.owes


def test_a_fault_that_a_sentence_heals_is_owed_no_longer(guard: Safeguard, machine: FakeMachine) -> None:
    broken = breaker(guard)
    fault = broken.inject(SshStopped(machine))
    fault.undo()
    assert machine.journal[-1].strip().startswith("systemctl stop tha-undo-run-1-1.timer")
    assert not read_journal(guard.journal.path).broken
    broken.inject(fault)
    assert guard.owes, "it struck again"
    fault.undo()
    assert not guard.owes


def test_a_timer_that_could_not_be_stopped_is_stopped_in_the_end(
    guard: Safeguard, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    aftermath, disarm = Aftermath(), guard.dead_man.disarm
    broken = Breaker(aftermath, lambda: None, lambda: None, guard=guard)
    fault = broken.inject(SshStopped(machine))

    def lost(_timer: Timer) -> bool:
        monkeypatch.setattr(guard.dead_man, "disarm", disarm)
        msg = "no answer"
        raise ControlChannelLost(msg)

    monkeypatch.setattr(guard.dead_man, "disarm", lost)
    with pytest.raises(ControlChannelLost):
        fault.undo()
    assert guard.owes
    for heal in aftermath.heals:
        heal()
    assert not guard.owes


def test_power_is_for_us_to_switch_on_again(guard: Safeguard, machine: FakeMachine) -> None:
    breaker(guard).inject(PlugPulled(machine))
    [owed] = read_journal(guard.journal.path).broken.values()
    assert [remedy.deed for remedy in owed.remedies] == [Deed.POWER_ON]
    assert armed(machine) == []


def test_no_way_back_no_fault(guard: Safeguard, machine: FakeMachine) -> None:
    machine.fails["systemd-run"] = REFUSES
    machine.abilities -= {Ability.CUT_POWER}
    with pytest.raises(AbilityMissing, match=r"may cut our way back, and nothing else could undo it.*no systemd here"):
        breaker(guard).inject(SshStopped(machine))
    assert machine.sshd
    assert not read_journal(guard.journal.path).broken


@pytest.mark.parametrize("harmless", [True, False])
def test_where_there_is_another_way_back_no_timer_is_needed(guard: Safeguard, machine: FakeMachine, harmless: bool) -> None:
    machine.fails["systemd-run"] = REFUSES
    if harmless:  # the way back is not touched
        machine.abilities -= {Ability.CUT_POWER}
    breaker(guard).inject(ServiceStopped(machine, "ssh.service") if harmless else SshStopped(machine))
    assert guard.owes


def test_every_kind_of_fault_says_what_undoes_it() -> None:
    for title, kind in kinds().items():
        assert kind.heal.__qualname__ == "Fault.heal", f"{title} heals in a way that nobody could write down"
