"""Faults of a machine's power."""

from __future__ import annotations

from faults.control import answer
from faults.fault import Fault
from model.errors import FaultHadNoEffect
from model.lab import Ability, Machine
from model.remedy import Deed, Remedy
from probes.outcomes import Reached

BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


class PlugPulled(Fault):
    """The power is gone at once: silence."""

    ability = Ability.CUT_POWER
    title = "plug pulled"

    def inject(self) -> None:
        """Pull the plug."""
        self.machine.cut_power()

    def prove_effect(self) -> None:
        """Nobody answers, and nobody refuses either."""
        self.expect(Reached.SILENT, Reached.UNREACHABLE)

    def remedies(self) -> tuple[Remedy, ...]:
        """Power on."""
        return (Remedy(self.machine.name, deed=Deed.POWER_ON),)


class ShutDown(PlugPulled):
    """`shutdown -h now`: an orderly end, then silence."""

    ability = Ability.SHUT_DOWN
    title = "shut down"

    def inject(self) -> None:
        """Shut down, and wait until it is off."""
        self.machine.shut_down()


class Reboot(Fault):
    """An orderly reboot; it heals itself."""

    ability = Ability.REBOOT
    title = "rebooted"

    _before = ""

    def look_before(self) -> None:
        """Remember which boot it is in."""
        self._before = boot_of(self.machine)

    def inject(self) -> None:
        """Reboot, and wait until its control channel answers."""
        self.machine.reboot()

    def prove_effect(self) -> None:
        """It is in another boot than before."""
        if boot_of(self.machine) == self._before:
            msg = f"{self.machine.name} was told to reboot, but is still in boot {self._before}"
            raise FaultHadNoEffect(msg)

    def remedies(self) -> tuple[Remedy, ...]:
        """Power on, should it not have come back."""
        return (Remedy(self.machine.name, deed=Deed.POWER_ON),)


def boot_of(machine: Machine) -> str:
    """Id of the boot that a machine is in (random(4)).

    Raises:
        ControlChannelLost: The machine did not say.
    """
    return answer(machine, BOOT_ID)
