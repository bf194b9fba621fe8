"""A machine that is a VM of a cluster: control over SSH, power and network by the cluster's API."""

from __future__ import annotations

from model.lab import Ability
from model.outside import Outside
from provisioning.existing.channel import SshChannel
from provisioning.existing.machine import ExistingMachine
from provisioning.proxmox.hands import VmHands


class VmMachine(ExistingMachine):
    """One VM; `shut_down` and `reboot` are the cluster's, so that the guest hears a power button."""

    def __init__(self, channel: SshChannel, hands: VmHands) -> None:
        """Put the parts together; nothing is asked yet."""
        super().__init__(channel, hands)
        self.vm = hands

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the API can do, and what root can do on the machine."""
        return super().abilities | {Ability.INSPECT}

    def inspect(self) -> Outside:
        """What the cluster gave it."""
        return self.vm.seen()

    def shut_down(self) -> None:
        """`shutdown`; ends when the VM is off."""
        self.require(Ability.SHUT_DOWN)
        self.hands.do("shutdown")
        self._now_off()

    def rollback(self) -> None:
        """Go back to the snapshot of the machine as it came; ends when the control channel answers."""
        self.vm.rollback()
        self._now_on()
