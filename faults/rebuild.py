"""A machine that is made anew."""

from __future__ import annotations

from faults.fault import Fault
from model.errors import FaultHadNoEffect
from model.lab import Ability
from model.remedy import Deed, Remedy

HOST_KEY = "cat /etc/ssh/ssh_host_ed25519_key.pub"


class Rebuilt(Fault):
    """A machine is destroyed and made from nothing; it heals itself. Its effect is another host key."""

    ability = Ability.REBUILD
    title = "made anew"
    _before = ""

    def look_before(self) -> None:
        """Remember its host key."""
        self._before = self.machine.run(HOST_KEY).stdout.strip()

    def inject(self) -> None:
        """Destroy it and make it anew."""
        self.machine.rebuild()

    def prove_effect(self) -> None:
        """It offers another host key than before."""
        now = self.machine.run(HOST_KEY).stdout.strip()
        if not now or now == self._before:
            msg = f"{self.machine.name} was made anew, but still offers the host key {self._before or 'of nobody'}"
            raise FaultHadNoEffect(msg)

    def remedies(self) -> tuple[Remedy, ...]:
        """Power on, should it not have come back."""
        return (Remedy(self.machine.name, deed=Deed.POWER_ON),)
