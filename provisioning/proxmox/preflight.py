"""Looks whether a lab can be made on a cluster, before anything is made: rights, nodes, template, storage, bridge, names, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from model.errors import AcceptanceError, BadInput, LabUnavailable, UnsafeLab
from model.topology import Address, Role, Topology
from probes.outcomes import Reached
from probes.ssh import knock
from provisioning.hostcheck import Finding
from provisioning.proxmox.api import Cluster, Vm
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.marks import expiry_of, is_ours, run_of

GIGABYTE = 1 << 30
KNOCK_WITHIN = timedelta(seconds=1)
ON_VMS = (
    "VM.Allocate", "VM.Audit", "VM.Clone", "VM.PowerMgmt", "VM.Snapshot", "VM.Snapshot.Rollback", "VM.Config.CDROM", "VM.Config.CPU",
    "VM.Config.Cloudinit", "VM.Config.Disk", "VM.Config.HWType", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options",
)  # fmt: skip
ON_TEMPLATE = ("VM.Audit", "VM.Clone")
ON_STORAGE = ("Datastore.AllocateSpace", "Datastore.Audit")
ON_NODE = ("Sys.Audit",)
ON_BRIDGE = ("SDN.Use",)
ON_POOL = ("Pool.Audit",)
AGENTS = ("VM.GuestAgent.Audit",)
CAN_LOSE = {Role.STORAGE: 1, Role.BALANCER: 1}
"""Machines of a role that may be gone at once, in the topology without single point of failure; of runners all but one."""


def require(cluster: Cluster, file: ProxmoxLabFile, topology: Topology) -> None:
    """Go on only where a lab can be made.

    Raises:
        UnsafeLab: Something that is not ours is in the way, or we may not.
        LabUnavailable: Something else will not do; all of it is named, with remedies.
    """
    bad = [finding for finding in look_over(cluster, file, topology) if not finding.ok]
    if not bad:
        return
    text = "; ".join(f"{finding.name}: {finding.found} - {finding.remedy}" for finding in bad)
    error = UnsafeLab if any(finding.name.startswith(("rights", "in the way")) for finding in bad) else LabUnavailable
    raise error(f"no lab can be made on {file.cluster.endpoint}: {text}")


def look_over(cluster: Cluster, file: ProxmoxLabFile, topology: Topology) -> list[Finding]:
    """Look at everything that a lab needs.

    Args:
        cluster: Where it is to be made.
        file: The lab file.
        topology: What it plans.

    Returns:
        All findings, the good ones included; the first bad one of the cluster itself ends the look.
    """
    what = f"cluster {file.cluster.endpoint}"
    try:
        version = cluster.call("asking for the version", lambda api: api.version.get())
    except BadInput:
        raise
    except AcceptanceError as error:
        return [Finding(what, ok=False, found=str(error), remedy="put cluster.endpoint, token_id, token and ca_file right")]
    findings = [Finding(what, ok=True, found=f"Proxmox VE {version.get('version', 'of unknown version')}")]
    rights = list(_rights(cluster, file))
    findings += rights
    if all(finding.ok for finding in rights):
        nodes = list(_nodes(cluster, file))
        findings += nodes
        vms = cluster.vms()
        findings += [_template(file, vms), *_names(file, topology, vms), *_addresses(cluster, file, topology, vms)]
        online = [finding.name.removeprefix("node ") for finding in nodes if finding.ok]
        for node in online:
            findings += [_storage(cluster, file, node, topology), _bridge(cluster, file, node)]
    return findings


def warnings(file: ProxmoxLabFile, topology: Topology) -> list[Finding]:
    """What can be made, but not as the guide promises it: how machines are spread over nodes."""
    if not topology.virtual_addresses:
        return []
    nodes, findings = len(file.placement.nodes), []
    for role in Role:
        machines = len(topology.of(role))
        most, can_lose = -(-machines // nodes), CAN_LOSE.get(role, machines - 1)
        if most > can_lose:
            found = f"{most} of {machines} on one of {nodes} nodes; the role can lose {can_lose}"
            findings.append(Finding(f"spread of {role.value}", ok=False, found=found, remedy="name more nodes in placement.nodes (B10)"))
    return findings


def _rights(cluster: Cluster, file: ProxmoxLabFile) -> Iterator[Finding]:
    """A listing of what the token may not see is empty, not refused: so rights are asked for."""
    place = file.placement
    vms = f"/pool/{place.pool}" if place.pool else "/vms"
    wanted = {
        vms: (*ON_VMS, *(AGENTS if place.agent else ()), *(ON_POOL if place.pool else ())),
        f"/vms/{place.template}": ON_TEMPLATE,
        f"/storage/{place.datastore}": ON_STORAGE,
        f"/sdn/zones/localnetwork/{place.bridge}": ON_BRIDGE,
        **{f"/nodes/{node}": ON_NODE for node in place.nodes},
    }
    for path, privileges in wanted.items():
        what = f"rights on {path}"
        try:
            given = _granted(cluster, path)
        except AcceptanceError as error:
            yield Finding(what, ok=False, found=str(error), remedy="let the token be known to the cluster")
            continue
        lacking = [name for name in privileges if name not in given]
        remedy = (
            f"give them to the token and to its user: pveum acl modify {path} --tokens '{file.cluster.token_id}' --roles ROLE,"
            " with a role of these privileges (docs/proxmox.md)"
        )
        yield Finding(what, not lacking, f"{file.cluster.token_id} lacks {', '.join(lacking)}" if lacking else "all there", remedy)


def _granted(cluster: Cluster, path: str) -> set[str]:
    """What the token may do at a path, what it inherits included."""
    found: dict[str, Any] = cluster.call("asking for rights", lambda api: api.access.permissions.get(path=path))
    given: set[str] = set()
    for where, privileges in found.items():
        if where in {path, "/"} or path.startswith(f"{where}/"):
            given |= {name for name, value in privileges.items() if where == path or str(value) != "0"}
    return given


def _nodes(cluster: Cluster, file: ProxmoxLabFile) -> Iterator[Finding]:
    states = {row["node"]: row.get("status", "unknown") for row in cluster.call("listing nodes", lambda api: api.nodes.get())}
    for node in file.placement.nodes:
        state = states.get(node, "")
        remedy = "switch it on, or leave it out of placement.nodes" if state else f"the cluster has {', '.join(sorted(states))}"
        yield Finding(f"node {node}", state == "online", state or "there is none of that name", remedy)


def _template(file: ProxmoxLabFile, vms: list[Vm]) -> Finding:
    number = file.placement.template
    there = next((vm for vm in vms if vm.id == number), None)
    what, remedy = f"template {number}", "make one: docs/proxmox.md, “A template”; or put placement.template right"
    if there is None:
        return Finding(what, ok=False, found="there is none", remedy=remedy)
    if not there.template:
        return Finding(what, ok=False, found=f"VM {number} ({there.name}) is no template", remedy=remedy)
    if there.lock:
        return Finding(what, ok=False, found=f"it is locked ({there.lock})", remedy="wait until that is done")
    where = file.placement.template_node
    if where is not None and where != there.node:
        return Finding(what, ok=False, found=f"it is on {there.node}, not on {where}", remedy="put placement.template_node right")
    if where is None and file.placement.nodes != (there.node,):
        found = f"{there.name} on {there.node}; machines are made elsewhere, too"
        return Finding(what, ok=False, found=found, remedy=f'set placement.template_node = "{there.node}"')
    return Finding(what, ok=True, found=f"{there.name} on {there.node}")


def _names(file: ProxmoxLabFile, topology: Topology, vms: list[Vm]) -> Iterator[Finding]:
    wanted = {f"{file.prefix}{machine.name}" for machine in topology.machines}
    for vm in vms:
        if vm.name in wanted:
            yield Finding(f"in the way: VM {vm.id} ({vm.name} on {vm.node})", ok=False, found=_whose(vm), remedy=_remedy(vm))


def _whose(vm: Vm) -> str:
    if not is_ours(vm):
        return "it has a name of the lab, but not our tag: it is somebody else's, and is not touched"
    until = expiry_of(vm)
    return f"it belongs to lab {run_of(vm)}" + (f", until {until:%d %b %H:%M} UTC" if until else "")


def _remedy(vm: Vm) -> str:
    if not is_ours(vm):
        return "take another prefix in the lab file, or rename the VM"
    return f"python -m provisioning down {run_of(vm)}, on the host that made it; or take another prefix and subnet"


def _addresses(cluster: Cluster, file: ProxmoxLabFile, topology: Topology, vms: list[Vm]) -> Iterator[Finding]:
    """Whether somebody has an address already: by what the cluster gave to VMs, and by who answers."""
    names = {f"{file.prefix}{machine.name}" for machine in topology.machines}
    wanted = {machine.address: machine.name for machine in topology.machines} | dict.fromkeys(topology.virtual_addresses, "endpoint")
    taken: dict[str, str] = {}
    for vm in vms:
        if vm.template or vm.name in names:
            continue
        for address in _configured(cluster, vm):
            if address in wanted:
                taken[address] = f"VM {vm.id} ({vm.name} on {vm.node}) has it"
    if file.network_namespace is None:
        with ThreadPoolExecutor(max_workers=32) as pool:
            answers = dict(zip(wanted, pool.map(_answers, wanted), strict=True))
        named = {vm.name for vm in vms}
        for address, said in answers.items():
            own = f"{file.prefix}{wanted[address]}" in named
            if said and not own:
                taken.setdefault(address, said)
    for address, who in taken.items():
        yield Finding(
            f"address {address} ({wanted[address]})",
            ok=False,
            found=f"in use: {who}",
            remedy="free it, or take another subnet in the lab file",
        )


def _configured(cluster: Cluster, vm: Vm) -> list[str]:
    """Addresses that cloud-init gives to a VM."""
    try:
        config = cluster.config(vm)
    except AcceptanceError:
        return []
    return [found for name, value in config.items() if name.startswith("ipconfig") for found in re.findall(r"ip=([\d.]+)", str(value))]


def _answers(address: str) -> str:
    seen = knock(Address(address, 22), KNOCK_WITHIN).reached
    return f"port 22 is {seen}" if seen in {Reached.ANSWERED, Reached.REFUSED} else ""


def _storage(cluster: Cluster, file: ProxmoxLabFile, node: str, topology: Topology) -> Finding:
    store = file.placement.datastore
    what = f"storage {store} on {node}"
    ask: Callable[[Any], Any] = lambda api: api.nodes(node).storage.get(storage=store)  # noqa: E731 - one line says it
    try:
        found = [row for row in cluster.call(f"looking at {what}", ask) if row.get("storage") == store]
    except AcceptanceError as error:
        return Finding(what, ok=False, found=str(error), remedy="put placement.datastore right")
    if not found:
        return Finding(what, ok=False, found="there is none", remedy="put placement.datastore right, or leave the node out")
    if "images" not in str(found[0].get("content", "images")):
        return Finding(what, ok=False, found="it does not take disks of VMs", remedy="allow the content “Disk image” there")
    if not int(found[0].get("active", 1)):
        return Finding(what, ok=False, found="it is not active", remedy="see its state in Proxmox VE")
    return _room(file, what, int(found[0].get("avail", 0)), topology)


def _room(file: ProxmoxLabFile, what: str, free: int, topology: Topology) -> Finding:
    each = file.placement.disk_gb or 0
    here = -(-len(topology.machines) // len(file.placement.nodes))
    needed = here * each
    found = f"{free / GIGABYTE:.0f} GB free" + (f", {needed} GB needed for {here} disks" if needed else "")
    return Finding(what, free > needed * GIGABYTE, found, "make room, or take another datastore")


def _bridge(cluster: Cluster, file: ProxmoxLabFile, node: str) -> Finding:
    what, wanted = f"bridge {file.placement.bridge} on {node}", file.placement.bridge
    try:
        rows = cluster.call(f"looking at {what}", lambda api: api.nodes(node).network.get(type="any_bridge"))
    except AcceptanceError as error:
        return Finding(what, ok=False, found=str(error), remedy="grant Sys.Audit on the node")
    names = sorted(str(row.get("iface", "")) for row in rows)
    return Finding(
        what, wanted in names, "there" if wanted in names else f"there is {', '.join(names) or 'none'}", "put placement.bridge right"
    )
