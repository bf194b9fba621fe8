# SPDX-License-Identifier: AGPL-3.0-or-later
"""The machine behind one VM: an embedded machine that is laid out from cloud-init data instead of from a role."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from model.topology import MachineSpec
from provisioning.embedded.cgroups import Cgroup
from provisioning.embedded.commands import run
from provisioning.embedded.container import Container
from provisioning.embedded.disk import Disk
from provisioning.embedded.machine import EmbeddedMachine
from provisioning.embedded.network import LabNetwork
from tests.rehearsal.cloud_init import CloudInit

BUTTON_WITHIN = timedelta(seconds=10)
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"


class VmGuest(EmbeddedMachine):
    """Boots, stops, freezes and loses its link when the API says so."""

    def __init__(
        self,
        spec: MachineSpec,
        container: Container,
        disk: Disk,
        network: LabNetwork,
        cgroup: Cgroup,
        data: CloudInit,
        hardware: str,
        *,
        plugged: bool,
    ) -> None:
        """Put the parts together; nothing is made yet.

        Args:
            spec: Its name on this host, its address and size.
            container: That runs it.
            disk: Its own.
            network: Of the rehearsal.
            cgroup: Its own.
            data: Cloud-init's, for its first boot.
            hardware: Address of its network card.
            plugged: Whether its link is up.
        """
        super().__init__(spec, container, disk, network, cgroup, lambda _spec: data.applied())
        self._data, self._hardware, self._plugged = data, hardware, plugged

    def lay_out(self) -> None:
        """What cloud-init does at a first boot: an account, a host key, its files; one of RSA would only cost each VM a second."""
        self.disk.create()
        root = str(self.disk.root)
        if self._data.user != "root":
            run("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", self._data.user)
        run("chroot", root, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", HOST_KEY)
        self.disk.write(self._data.applied())

    def start(self) -> None:
        """Plug in network and power."""
        self._network.plug_in(self.name, self.address, self._hardware)
        self._network.set_cable(self.name, up=self._plugged)
        self.cgroup.create(self.limits)
        self._container.start()

    def resume(self) -> None:
        """Go on where it was; its cable stays out where the API unplugged it."""
        self.resume_processes()
        self.set_link()

    def set_link(self) -> None:
        """Its cable, as the API has it; one that stands still has none."""
        if self.is_on():
            self._network.set_cable(self.name, up=self._plugged and not self.is_suspended())

    def ends(self, seconds: float) -> bool:
        """Orderly.

        Args:
            seconds: How long it may take.

        Returns:
            Whether it is off.

        Raises:
            ControlChannelLost: Nobody hears the button.
        """
        if self.is_on():
            self.run("systemctl --no-block poweroff", timeout=min(BUTTON_WITHIN, timedelta(seconds=seconds)))
            if not self._container.wait_until_ended(seconds):
                return False
        self.fall_silent()
        return True

    def kept(self, snapshot: str) -> Path:
        """Where a copy of its disk is."""
        return self.disk.folder / "snapshots" / snapshot

    def keep_disk(self, snapshot: str) -> None:
        """Copy its disk; what runs stands still meanwhile, as under a hypervisor."""
        stands_still = self.is_on() and not self.is_suspended()
        if stands_still:
            self.cgroup.set_frozen(frozen=True)
        try:
            self.disk.keep(self.kept(snapshot))
        finally:
            if stands_still:
                self.resume_processes()
