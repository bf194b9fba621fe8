"""What undoes a fault, as data: written down before the fault, done afterwards by whoever reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from model.errors import ControlChannelLost
from model.lab import Machine

SCRIPT_WITHIN = timedelta(seconds=60)
SILENT_AT_MOST = timedelta(seconds=120)
"""How long a run may be silent before machines undo by themselves what it did to them."""

TIMER = "tha-undo"
"""How the names of timers begin that we start on machines, to undo faults."""

TIMER_MARKS = "/run/tofu-ha-acceptance"
"""Folder in which each of them leaves a mark when it goes off."""

FORGET_TIMERS = f"systemctl stop '{TIMER}-*.timer' 2>/dev/null; rm -rf {TIMER_MARKS}; true"
"""Shell text that stops every timer of ours on a machine, whichever run started it."""


class Deed(StrEnum):
    """What is done to a machine from outside."""

    POWER_ON = "power on"
    RECONNECT = "plug into the network"


@dataclass(frozen=True)
class Remedy:
    """One step that undoes a fault on one machine; harmless when nothing is broken, and when it is done twice.

    Attributes:
        machine: Its name.
        script: Shell text for root on the machine; empty where the remedy is a deed from outside.
        deed: What is done from outside; None where the remedy is a script.
    """

    machine: str
    script: str = ""
    deed: Deed | None = None

    @property
    def by_itself(self) -> bool:
        """Whether the machine can do it alone, as when nobody reaches it any more."""
        return bool(self.script)

    def apply(self, machine: Machine) -> None:
        """Do it. A machine without power needs no script: what a script undoes, a plug ends too, or it is owed once the machine is on.

        Args:
            machine: The one that is meant.

        Raises:
            AbilityMissing: The lab cannot do this to the machine.
            ControlChannelLost: It failed.
        """
        on = machine.is_on()
        match self.deed:
            case Deed.POWER_ON if not on:
                machine.power_on()
            case Deed.RECONNECT if on:
                machine.reconnect()
        if self.script and on:
            done = machine.run(self.script, timeout=SCRIPT_WITHIN)
            if not done.ok:
                msg = f"`{self.script.strip()}` on {machine.name} failed with {done.exit_status}: {done.text}"
                raise ControlChannelLost(msg)
