"""Breaks a lab for one scenario: one fault per machine at a time, all of them healed in the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from faults.fault import Fault, overlap
from faults.safeguard import NoGuard
from model.aftermath import Aftermath
from model.errors import UnsafeLab
from model.story import Strike

AnyFault = TypeVar("AnyFault", bound=Fault)
log = logging.getLogger(__name__)


class Breaker:
    """Injects faults and sees that each is healed.

    Attributes:
        faults: All that were injected, in order.
        strikes: When each of them struck, was seen and was healed; a fault may strike again.
    """

    def __init__(
        self,
        aftermath: Aftermath,
        steady: Callable[[], None],
        recovered: Callable[[], None],
        forget: Callable[[], None] = lambda: None,
        guard: NoGuard | None = None,
    ) -> None:
        """Prepare.

        Args:
            aftermath: Where healing and recovery are owed.
            steady: Raises unless the lab is as in its baseline; asked before a fault when none is there.
            recovered: Raises `PromiseBroken` unless the lab is as in its baseline again; owed once, in the end.
            forget: Drops connections that our own clients keep: after a fault, and after healing, they would tell of the past.
            guard: What is done before a lab is broken that is not ours.
        """
        self._aftermath, self._steady, self._recovered, self._forget = aftermath, steady, recovered, forget
        self._guard = guard or NoGuard()
        self.faults: list[Fault] = []
        self.strikes: list[Strike] = []

    @property
    def unhealed(self) -> list[Fault]:
        """Faults that are there now."""
        return [fault for fault in self.faults if fault.healed_at is None]

    def inject(self, fault: AnyFault) -> AnyFault:
        """Break something, and prove it.

        Raises:
            UnsafeLab: Another fault of the machine is not healed yet.
            FaultHadNoEffect: Nothing of it could be seen from outside.
        """
        for other in self.unhealed:
            if overlap(other.machines, fault.machines):
                names = ", ".join(machine.name for machine in fault.machines if machine in other.machines)
                msg = f"{names} already has a fault that is not healed: {other!r}"
                raise UnsafeLab(msg)
        if not self.unhealed:
            self._steady()
        if not self.faults:
            self._aftermath.recovery(self._recovered)
            self._aftermath.recovery(self._guard.require_unbroken)
        if fault not in self.faults:
            self.faults.append(fault)
            self._aftermath.heal(lambda: self._undo(fault))
        log.info("fault: %s …", fault)
        started = time.monotonic()
        try:
            fault.strike(self._guard.before, self._settle)
        finally:
            self.strikes.append(fault.newest)
            self._forget()
        log.info("fault: %s; injected and seen from outside after %.1f s", fault, time.monotonic() - started)
        return fault

    def require_recovered(self) -> None:
        """Raise `PromiseBroken` unless the lab is as in its baseline again; for between two faults."""
        self._recovered()

    def heal(self, fault: Fault) -> timedelta:
        """Heal a fault now, and see that what it broke works again.

        Args:
            fault: One that was injected here; healing it again is harmless.

        Returns:
            How long both took.

        Raises:
            UnsafeLab: It was never injected here.
            DeadlineMissed: What it broke does not work again.
        """
        if fault not in self.faults:
            msg = f"{fault!r} cannot be healed, as it was not injected here"
            raise UnsafeLab(msg)
        started = time.monotonic()
        self._undo(fault)
        fault.prove_recovery()
        took = time.monotonic() - started
        log.info("recovered from: %s; after %.1f s", fault, took)
        return timedelta(seconds=took)

    def _settle(self, fault: Fault) -> None:
        """What follows on healing, also where a sentence heals by itself: the timer must not go off in the midst of what comes then."""
        self._forget()
        self._guard.after(fault)

    def _undo(self, fault: Fault) -> None:
        if fault.healed_at is not None and not self._guard.is_owed(fault):
            return
        try:
            fault.undo()
            self._guard.after(fault)  # once more, should that have failed
        except Exception as error:
            log.error("could not be healed: %s: %s", fault, error)  # noqa: TRY400 - whoever asked reports the error itself
            raise
        log.info("healed: %s", fault)
