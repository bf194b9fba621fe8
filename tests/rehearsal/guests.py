# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands behind the VMs of a rehearsal: nothing, or a machine of the embedded lab for each."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import ControlChannelLost, LabUnavailable
from model.topology import NETWORK_PREFIX, Limits, MachineSpec, Role
from provisioning.embedded.cgroups import Cgroup
from provisioning.embedded.container import Container, ContainerPlan
from provisioning.embedded.disk import Disk
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork
from tests.rehearsal.cloud_init import CloudInit, hardware_of, is_plugged_in
from tests.rehearsal.machine import VmGuest


@dataclass(frozen=True)
class VmFacts:
    """A VM as the API knows it, at one moment.

    Attributes:
        number: Its id.
        name: Its name.
        config: Its settings.
    """

    number: int
    name: str
    config: Mapping[str, Any]


class Guests:
    """Nobody: the VMs are entries in a list, as in fakepve alone."""

    def start(self, vm: VmFacts) -> None:
        """Power on; ends before the machine has booted."""

    def stop(self, vm: VmFacts) -> None:
        """Pull the plug."""

    def shut_down(self, vm: VmFacts, seconds: float) -> bool:
        """Press the power button.

        Returns:
            Whether the machine was off in time.
        """
        del vm, seconds
        return True

    def reset(self, vm: VmFacts) -> None:
        """Press the reset button."""
        self.stop(vm)
        self.start(vm)

    def suspend(self, vm: VmFacts) -> None:
        """Let it stand still."""

    def resume(self, vm: VmFacts) -> None:
        """Let it go on."""

    def set_link(self, vm: VmFacts) -> None:
        """Plug its network in or out, as its settings say."""

    def keep_disk(self, vm: VmFacts, snapshot: str) -> None:
        """Keep its disk as it is."""

    def bring_disk_back(self, vm: VmFacts, snapshot: str) -> None:
        """Give it a disk that was kept; it is off afterwards."""

    def forget_disk(self, vm: VmFacts, snapshot: str) -> None:
        """Remove a disk that was kept."""

    def destroy(self, vm: VmFacts) -> None:
        """Remove the machine."""

    def is_on(self, vm: VmFacts) -> bool:
        """Whether a machine that has power is still on: it may have switched itself off."""
        del vm
        return True


class EmbeddedGuests(Guests):
    """A machine of the embedded lab behind each VM, with the network of the rehearsal."""

    def __init__(self, names: LabNames, image: Path) -> None:
        """Name the rehearsal; there is no machine yet.

        Args:
            names: Of everything that belongs to it.
            image: Root file system that a template of the cluster stands for.
        """
        self._names, self._image = names, image

    def machine(self, vm: VmFacts) -> VmGuest:
        """The machine behind a VM; what runs is read from the host."""
        name, data = f"vm{vm.number}", CloudInit.of(vm.name, vm.config)
        cores = int(vm.config.get("cores", 1)) * int(vm.config.get("sockets", 1))
        spec = MachineSpec(name, data.address, Role.RUNNER, Limits(cores, int(vm.config["memory"])))
        folder, cgroup, network = self._names.machine_folder(name), Cgroup(self._names.cgroup(name)), LabNetwork(self._names)
        disk = Disk(folder, self._image)
        plan = ContainerPlan(self._names.machine(name), vm.name, disk.root, network.namespace_of(name), folder, {}, cgroup)
        return VmGuest(spec, Container(plan), disk, network, cgroup, data, hardware_of(vm.config), plugged=is_plugged_in(vm.config))

    def start(self, vm: VmFacts) -> None:
        """Boot it; at its first boot from its cloud-init data."""
        data = CloudInit.of(vm.name, vm.config)
        if data.prefix != NETWORK_PREFIX:
            raise LabUnavailable(f"VM {vm.number} has no address of the rehearsal's network by cloud-init: {vm.config.get('ipconfig0')}")
        machine = self.machine(vm)
        if not machine.disk.exists:
            machine.lay_out()
        machine.fall_silent()
        machine.start()
        machine.stop_waiting()

    def stop(self, vm: VmFacts) -> None:
        """Pull the plug."""
        self.machine(vm).cut_power()

    def shut_down(self, vm: VmFacts, seconds: float) -> bool:
        """Have systemd end everything."""
        try:
            return self.machine(vm).ends(seconds)
        except ControlChannelLost:
            return False

    def suspend(self, vm: VmFacts) -> None:
        """Freeze it; its cable comes out, as a kernel that belongs to somebody else would still answer."""
        self.machine(vm).suspend()

    def resume(self, vm: VmFacts) -> None:
        """Thaw it."""
        self.machine(vm).resume()

    def set_link(self, vm: VmFacts) -> None:
        """Its end of the cable."""
        self.machine(vm).set_link()

    def keep_disk(self, vm: VmFacts, snapshot: str) -> None:
        """Copy its disk while it stands still."""
        self.machine(vm).keep_disk(snapshot)

    def bring_disk_back(self, vm: VmFacts, snapshot: str) -> None:
        """Pull the plug, and start over from the copy."""
        machine = self.machine(vm)
        machine.cut_power()
        machine.disk.destroy()
        machine.disk.create(machine.kept(snapshot))

    def forget_disk(self, vm: VmFacts, snapshot: str) -> None:
        """Remove the copy."""
        shutil.rmtree(self.machine(vm).kept(snapshot), ignore_errors=True)

    def destroy(self, vm: VmFacts) -> None:
        """Remove all of it."""
        machine = self.machine(vm)
        machine.cut_power()
        machine.disk.destroy()
        machine.cgroup.remove()
        shutil.rmtree(machine.disk.folder, ignore_errors=True)

    def is_on(self, vm: VmFacts) -> bool:
        """Look; the network of one that is off falls silent."""
        machine = self.machine(vm)
        if machine.is_on():
            return True
        machine.fall_silent()
        return False
