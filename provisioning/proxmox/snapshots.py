"""Disks of a lab as they were when it came: kept once, and gone back to after a scenario that left something broken."""

from __future__ import annotations

from collections.abc import Callable

from model.errors import AcceptanceError, LabUnavailable
from model.lab import Lab
from model.topology import Role
from provisioning.proxmox.machine import VmMachine


def keep_disks(lab: Lab) -> None:
    """Keep the disks of all machines; a storage that cannot do so is no error: such a lab is made anew where others go back."""
    for machine in _vms(lab):
        machine.run("sync")
        try:
            machine.vm.snapshot()
        except LabUnavailable:
            return


def go_back(lab: Lab, tell: Callable[[str], object]) -> bool:
    """Bring all machines back to their kept disks, balancers last: they look for the others when they start.

    Args:
        lab: That got worse.
        tell: Is told why it could not be done.

    Returns:
        Whether it was done.
    """
    machines = _vms(lab)
    try:
        if not machines or not all(machine.vm.has_snapshot() for machine in machines):
            return False
        for machine in sorted(machines, key=lambda each: each.role is Role.BALANCER):
            machine.vm.do("network_on")
            machine.rollback()
    except AcceptanceError as error:
        tell(f"the machines do not go back to their snapshots: {error}")
        return False
    return True


def _vms(lab: Lab) -> list[VmMachine]:
    return [machine for machine in lab.machines.values() if isinstance(machine, VmMachine)]
