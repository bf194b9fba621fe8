"""A machine undoes a fault by itself when nobody winds its timer up any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from faults.dead_man import DeadMan
from faults.fault import Fault
from faults.network import PortBlocked
from faults.safeguard import Safeguard
from faults.service import ServiceStopped, SshFrozen
from model.errors import FaultHadNoEffect
from model.journal import Began, Journal, read_journal
from model.lab import Lab, Machine
from model.remedy import FORGET_TIMERS
from model.waiting import wait_until
from tests.contract.faults.zoo import HAPROXY, Strike
from tests.contract.peer import Peer
from tests.contract.views import GUEST, MAKER

SOON = {MAKER: timedelta(seconds=4), GUEST: timedelta(seconds=20)}
"""When a timer goes off, by driver: not before the fault is there, and over SSH that takes longer."""

TIMERS = "systemctl list-timers --no-legend 'tha-undo-*' | wc -l; ls /run/tofu-ha-acceptance 2>/dev/null"


def left_on(machine: Machine) -> list[str]:
    """How many of our timers are there, and which marks."""
    return machine.run(TIMERS).stdout.split()


@pytest.fixture
def guard(lab: Lab, tmp_path: Path) -> Iterator[Callable[[timedelta], Safeguard]]:
    """A safeguard whose timers are not wound up, so that they go off when their time has come."""
    made: list[Safeguard] = []

    def make(every: timedelta) -> Safeguard:
        journal = Journal(tmp_path / "journal.ndjson")
        journal.write(Began("test", lab.name, "lab.toml", "acceptance/test/"))
        made.append(Safeguard(journal, DeadMan("test", SOON[lab.driver], every)))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each.journal.close()
    for machine in lab.machines.values():
        machine.run(FORGET_TIMERS)


@pytest.mark.parametrize(
    "kind",
    [
        lambda lab: SshFrozen(lab.runners[0]),
        lambda lab: PortBlocked(lab.runners[1], 22),
        lambda lab: ServiceStopped(lab.balancers[0], HAPROXY),
    ],
    ids=["SSH frozen", "port blocked", "service stopped"],
)
def test_a_fault_ends_without_us(
    kind: Callable[[Lab], Fault], lab: Lab, peer: Peer, broken: Strike, guard: Callable[[timedelta], Safeguard]
) -> None:
    safeguard, fault = guard(timedelta(hours=1)), kind(lab)
    peer.call(safeguard.before, _looked(fault, peer))
    broken(fault)
    assert left_on(fault.machine) == ["1"]
    peer.call(fault.prove_recovery)
    assert left_on(fault.machine)[0] == "0"
    assert read_journal(safeguard.journal.path).broken, "nobody has written yet that it is healed"
    peer.call(fault.undo)
    peer.call(safeguard.after, fault)
    assert left_on(fault.machine) == ["0"]
    assert not read_journal(safeguard.journal.path).broken
    with pytest.raises(
        FaultHadNoEffect,
        match=f"{fault.machine.name} had undone .* by itself, as this run had been silent for {SOON[lab.driver].total_seconds():g} s",
    ):
        safeguard.require_unbroken()


def test_a_fault_lasts_as_long_as_we_live(lab: Lab, peer: Peer, broken: Strike, guard: Callable[[timedelta], Safeguard]) -> None:
    safeguard, fault = guard(timedelta(seconds=1)), ServiceStopped(lab.balancers[0], HAPROXY)
    peer.call(safeguard.before, _looked(fault, peer))
    broken(fault)
    with pytest.raises(Exception, match="runs again"):
        wait_until(lambda: peer.call(fault.greet, fault.ports[0]).answered, bool, what="it runs again", within=SOON[lab.driver] * 2)
    timers, *marks = left_on(fault.machine)
    assert timers in {"1", "2"}, "while a timer is wound up, the new one and the one before are both there"
    assert not marks, "it went off"
    peer.call(fault.undo)
    peer.call(safeguard.after, fault)
    safeguard.require_unbroken()
    assert left_on(fault.machine) == ["0"]


def _looked(fault: Fault, peer: Peer) -> Fault:
    """A fault that knows what there is to break, as when it strikes."""
    peer.call(fault.look_before)
    return fault
