"""Disks of a lab as they were when it came: kept once, and gone back to after a scenario that left something broken."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from model.errors import AcceptanceError, LabUnavailable
from model.lab import Lab
from model.topology import Role
from provisioning.proxmox.machine import VmMachine

AT_ONCE = 4


def keep_disks(lab: Lab) -> None:
    """Keep the disks of all machines; a storage that cannot do so is no error: such a lab is made anew where others go back."""

    def keep(machine: VmMachine) -> None:
        machine.run("sync")
        machine.vm.snapshot()

    with contextlib.suppress(LabUnavailable):
        _each(_vms(lab), keep)


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
        for later in (False, True):
            _each([machine for machine in machines if (machine.role is Role.BALANCER) is later], _back)
    except AcceptanceError as error:
        tell(f"the machines do not go back to their snapshots: {error}")
        return False
    return True


def _back(machine: VmMachine) -> None:
    machine.vm.do("network_on")
    machine.rollback()


def _each(machines: Sequence[VmMachine], work: Callable[[VmMachine], None]) -> None:
    """Do it to some at once: a storage that is asked for more is no faster."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(work, machines))


def _vms(lab: Lab) -> list[VmMachine]:
    return [machine for machine in lab.machines.values() if isinstance(machine, VmMachine)]
