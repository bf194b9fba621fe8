"""Removes labs from a cluster: by OpenTofu, then whatever still carries the run's tag; and what others left when its time is over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from model.errors import AcceptanceError, BadInput, LabUnavailable
from provisioning import places
from provisioning.proxmox.api import Cluster, Vm
from provisioning.proxmox.half_made import seen_through, with_marks
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.marks import expiry_of, is_expired, is_ours, require_ours, run_name, run_of
from provisioning.proxmox.tools import Tools
from provisioning.proxmox.workspace import Workspace, claim, workspaces

Tell = Callable[[str], object]


def workspace_of(name: str) -> Workspace:
    """The folder of a lab that was made from here.

    Raises:
        BadInput: There is none of that name.
    """
    workspace = Workspace(places.clusters() / run_name(name))
    workspace.description  # noqa: B018 - raises
    return workspace


def of_run(cluster: Cluster, run: str, prefix: str) -> list[Vm]:
    """VMs that carry a run's marks and ours.

    Args:
        cluster: Where they are.
        run: Its name.
        prefix: With which their names begin.
    """
    return [vm for vm in seen_through(cluster, prefix) if is_ours(vm) and run_of(vm) == run]


def remove(workspace: Workspace, cluster: Cluster, tools: Tools, tell: Tell) -> None:
    """Remove all VMs of a lab.

    OpenTofu first, as it knows what it made; then by tag, as an apply that was killed may not have written everything down.

    Args:
        workspace: Of the lab.
        cluster: Where it is.
        tools: Programs of this host.
        tell: Is told what is being done.

    Raises:
        LabUnavailable: Something is left; it is named.
    """
    trouble = ""
    if workspace.has_state:
        tell(f"removing the VMs of {workspace.name}")
        try:
            tofu = tools.tofu_for(workspace, cluster)
            tofu.init()
            tofu.destroy()
        except LabUnavailable as error:
            trouble = str(error)
    for vm in of_run(cluster, workspace.name, workspace.prefix):
        with contextlib.suppress(AcceptanceError):
            remove_vm(cluster, vm)
    left = of_run(cluster, workspace.name, workspace.prefix)
    if left:
        names = ", ".join(f"{vm.id} ({vm.name} on {vm.node})" for vm in left)
        raise LabUnavailable(f"of lab {workspace.name} is left: VM {names}. {trouble}".strip())


def remove_vm(cluster: Cluster, listed: Vm) -> None:
    """Stop and delete one VM that is ours; looked at once more right before.

    Args:
        cluster: Where it is.
        listed: As it was found.

    Raises:
        UnsafeLab: It is not ours, or not of the same run any more.
        LabUnavailable: It could not be removed.
    """
    vm = with_marks(cluster, cluster.vm(listed.id))
    require_ours(vm, run_of(listed))
    if vm.running:
        cluster.task(f"stopping VM {vm.id} ({vm.name})", lambda api: api.nodes(vm.node).qemu(vm.id).status.stop.post())
    cluster.task(f"removing VM {vm.id} ({vm.name})", lambda api: api.nodes(vm.node).qemu(vm.id).delete(purge=1))


@dataclass(frozen=True)
class Leftover:
    """VMs of one run that nobody answers for any more.

    Attributes:
        run: Its name.
        vms: Their names.
        why: Why they go.
    """

    run: str
    vms: tuple[str, ...]
    why: str


def expired(cluster: Cluster, prefix: str, now: datetime | None = None) -> list[Vm]:
    """VMs of ours whose time is over, whoever made them."""
    return [vm for vm in seen_through(cluster, prefix) if is_ours(vm) and is_expired(vm, now)]


def abandoned(file: ProxmoxLabFile) -> list[Workspace]:
    """Labs on the same cluster that were made from here by runs that died, or that expired."""
    found = []
    for workspace in workspaces():
        try:
            same = workspace.description["endpoint"] == file.cluster.endpoint
            over = workspace.expires <= datetime.now(UTC)
        except BadInput:
            continue
        if same and (workspace.state() == "nobody" or (workspace.state() == "kept" and over)):
            found.append(workspace)
    return found


def sweep_own(cluster: Cluster, file: ProxmoxLabFile, tools: Tools, tell: Tell) -> list[Leftover]:
    """Remove what runs from here left when they died.

    Raises:
        LabUnavailable: Something is left; it is named.
    """
    gone = []
    for workspace in abandoned(file):
        try:
            owned = claim(workspace)
        except (BadInput, OSError):
            continue
        tell(f"removing lab {workspace.name}, which a run left that died")
        names = tuple(vm.name for vm in of_run(cluster, workspace.name, workspace.prefix))
        try:
            remove(workspace, cluster, tools, tell)
            workspace.forget()
        finally:
            owned.release(keep=False)
        gone.append(Leftover(workspace.name, names, "left by a run that died"))
    return gone


def sweep(cluster: Cluster, file: ProxmoxLabFile, tools: Tools, tell: Tell) -> list[Leftover]:
    """Remove what runs from here left, and every VM of ours whose time is over; never one without our tag.

    Raises:
        LabUnavailable: Something is left; it is named.
    """
    gone = sweep_own(cluster, file, tools, tell)
    alive = {workspace.name for workspace in workspaces() if workspace.state() == "run"}
    for vm in expired(cluster, file.prefix):
        if run_of(vm) in alive:
            continue
        tell(f"removing VM {vm.id} ({vm.name})")
        remove_vm(cluster, vm)
        until = expiry_of(vm)
        gone.append(Leftover(run_of(vm), (vm.name,), f"expired {until:%d %b %H:%M} UTC" if until else "expired"))
    return gone
