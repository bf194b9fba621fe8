"""VMs of a lab: made by OpenTofu, tried again where the cluster was only busy, and compared with what was planned."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from model.errors import LabUnavailable
from model.topology import Topology
from provisioning.proxmox.tofu import ApplyFailed, Tofu
from provisioning.proxmox.workspace import Workspace

TRIES = 3
PAUSE_SECONDS = 5.0
log = logging.getLogger(__name__)


def make_vms(  # noqa: PLR0913 - each is one part of the sentence
    tofu: Tofu,
    workspace: Workspace,
    topology: Topology,
    parallel: int,
    tell: Callable[[str], object],
    *,
    replace: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, int]:
    """Make the VMs of a lab.

    Args:
        tofu: In the lab's folder.
        workspace: Of the lab.
        topology: What is planned.
        parallel: How many at once; a second try makes one after another.
        tell: Is told what is being done.
        replace: Address of a VM that is made anew.
        pause: Waits before another try.

    Returns:
        Ids by machine.

    Raises:
        ApplyFailed: Something could not be made.
        LabUnavailable: What was made is not what was planned.
    """
    tell("finding the provider")
    tofu.init()
    for tried in range(1, TRIES + 1):
        tell(f"making {len(topology.machines)} VMs" if replace is None else f"making {replace} anew")
        try:
            tofu.apply(parallel if tried == 1 else 1, replace)
            break
        except ApplyFailed as error:
            if not error.transient or tried == TRIES:
                raise
            log.warning("the cluster was busy, the VMs of %s are tried again: %s", workspace.name, error)
            pause(PAUSE_SECONDS)
    return numbers_of(tofu, topology)


def numbers_of(tofu: Tofu, topology: Topology) -> dict[str, int]:
    """Ids of the VMs, by machine.

    Raises:
        LabUnavailable: A machine is missing, or has another address than is planned.
    """
    made = tofu.output().get("machines") or {}
    wrong = []
    for spec in topology.machines:
        there = made.get(spec.name)
        if there is None:
            wrong.append(f"{spec.name} was not made")
        elif there["ip_address"] != spec.address:
            wrong.append(f"{spec.name} has the address {there['ip_address']}, not {spec.address}")
    if wrong:
        raise LabUnavailable(f"OpenTofu made something else than the lab file plans: {'; '.join(wrong)}")
    return {spec.name: int(made[spec.name]["vm_id"]) for spec in topology.machines}
