"""What is done before a lab is broken that is not ours, so that the fault ends even when we cannot end it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from faults.dead_man import DeadMan, Timer
from faults.fault import Fault
from model.errors import AbilityMissing, ControlChannelLost, FaultHadNoEffect
from model.journal import Broke, Healed, Journal
from model.lab import Ability, Machine


class NoGuard:
    """A lab of our own needs none: it is removed as a whole, also after a run that died."""

    def before(self, fault: Fault) -> None:
        """Nothing."""

    def after(self, fault: Fault) -> None:
        """Nothing."""

    def is_owed(self, fault: Fault) -> bool:  # noqa: ARG002 - nothing is
        """Whether it is still written down as not undone."""
        return False

    def require_unbroken(self) -> None:
        """Nothing."""


@dataclass
class Safeguard(NoGuard):
    """Writes each fault down, and arms what undoes it by itself.

    Attributes:
        journal: Where it is written.
        dead_man: Timers on the machines.
    """

    journal: Journal
    dead_man: DeadMan
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _owed: dict[Fault, tuple[int, list[Timer]]] = field(default_factory=dict)
    _early: list[str] = field(default_factory=list)

    @property
    def owes(self) -> bool:
        """Whether a fault was not undone."""
        return bool(self._owed)

    def is_owed(self, fault: Fault) -> bool:
        """Whether it is still written down as not undone."""
        return fault in self._owed

    def close(self) -> None:
        """Wind no timer up any more."""
        self.dead_man.close()

    def before(self, fault: Fault) -> None:
        """Write down what undoes a fault, and arm every part of it that a machine can do by itself.

        Raises:
            AbilityMissing: The fault may cut the way back, and neither a timer nor the power switch could undo it then.
        """
        remedies, number = fault.remedies(), next(self._numbers)
        self.journal.write(Broke(number, str(fault), remedies))
        by_name = {machine.name: machine for machine in fault.machines}
        self._owed[fault] = number, []
        for remedy in remedies:
            if remedy.by_itself:
                self._arm(fault, by_name[remedy.machine], remedy.script)

    def _arm(self, fault: Fault, machine: Machine, script: str) -> None:
        try:
            self._owed[fault][1].append(self.dead_man.arm(machine, script, str(fault)))
        except ControlChannelLost as error:
            if fault.cuts_the_way_back and not machine.can(Ability.CUT_POWER):
                self.after(fault)
                msg = f"{fault} may cut our way back, and nothing else could undo it: no power control, and no timer ({error})"
                raise AbilityMissing(msg) from error

    def after(self, fault: Fault) -> None:
        """Disarm, and write down that it is undone.

        Raises:
            ControlChannelLost: A machine did not answer; its timer goes off, which does no harm.
        """
        if fault not in self._owed:
            return
        number, timers = self._owed[fault]
        for timer in list(timers):
            if self.dead_man.disarm(timer):
                self._early.append(f"{timer.machine.name} had undone `{fault}` by itself")
            timers.remove(timer)
        del self._owed[fault]
        self.journal.write(Healed(number))

    def require_unbroken(self) -> None:
        """Raise unless each fault lasted until we ended it.

        Raises:
            FaultHadNoEffect: A machine helped itself, as this run was silent for too long.
        """
        early, self._early = self._early, []
        if early:
            msg = f"{'; '.join(early)}, as this run had been silent for {self.dead_man.after.total_seconds():g} s (did its host sleep?)"
            raise FaultHadNoEffect(msg)
