"""Breaks a lab for one scenario: one fault per machine at a time, all of them healed in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from faults.fault import Fault
from model.aftermath import Aftermath
from model.errors import UnsafeLab

AnyFault = TypeVar("AnyFault", bound=Fault)


class Breaker:
    """Injects faults and sees that each is healed.

    Attributes:
        faults: All that were injected, in order.
    """

    def __init__(self, aftermath: Aftermath, steady: Callable[[], None], recovered: Callable[[], None]) -> None:
        """Prepare.

        Args:
            aftermath: Where healing and recovery are owed.
            steady: Raises unless the lab is as in its baseline; asked before the first fault.
            recovered: Raises `PromiseBroken` unless the lab is as in its baseline again.
        """
        self._aftermath, self._steady, self._recovered = aftermath, steady, recovered
        self.faults: list[Fault] = []

    def inject(self, fault: AnyFault) -> AnyFault:
        """Break something, and prove it.

        Raises:
            UnsafeLab: Another fault of the machine is not healed yet.
            FaultHadNoEffect: Nothing of it could be seen from outside.
        """
        if not self.faults:
            self._steady()
            self._aftermath.recovery(self._recovered)
        for other in self.faults:
            if other.machine is fault.machine and other.healed_at is None:
                msg = f"{fault.machine.name} already has a fault that is not healed: {other!r}"
                raise UnsafeLab(msg)
        self.faults.append(fault)
        self._aftermath.heal(fault.undo)
        fault.strike()
        return fault
