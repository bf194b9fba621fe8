"""What the file of a lab on Proxmox VE says: the cluster, where machines go, how big they are, and for how long."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from model.topology import RUNNERS_MAX, Address, Limits, MachineSpec, Role, Topology, topology
from provisioning.existing.tables import Table
from provisioning.proxmox.connection import ClusterEntry

ENVIRONMENTS = {"single": "dev", "production": "prod"}
LAST_NUMBER = 202
"""Of the guide's addresses: runner100."""

NETWORK_SIZE = 24


def _subnet(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        msg = f"{text!r} is no network: {error}"
        raise ValueError(msg) from error
    if network.prefixlen != NETWORK_SIZE:
        msg = f"{text!r}: the lab takes addresses up to .{LAST_NUMBER} of a network with the prefix length {NETWORK_SIZE}"
        raise ValueError(msg)
    return str(network)


class VmIds(Table):
    """From where ids of VMs are drawn."""

    first: int = Field(default=10_000, ge=100)
    last: int = Field(default=99_999, le=999_999_999)


class PlacementEntry(Table):
    """Where machines come from and where they go.

    Attributes:
        nodes: Machines of a role are spread over them in turns.
        template: VM id of a template with cloud-init.
        template_node: Where the template is, if it is on one node only.
        datastore: For disks and cloud-init drives; every node must have it.
        disk_gb: Size of a disk; the template's unless given.
        bridge: On every node.
        vlan: Tag of the lab's network.
        gateway: Of the lab's network.
        nameservers: For machines; packages are fetched by name.
        pool: The pool that VMs are put into: rights are given on it.
        vm_ids: Ids that may be taken.
        user: Account that cloud-init makes, with sudo.
        agent: Whether the template has the QEMU guest agent.
        cpu_type: As Proxmox VE calls it.
        full_clone: Whether disks are copied; else they depend on the template's.
    """

    nodes: tuple[str, ...] = Field(min_length=1)
    template: int = Field(ge=100)
    template_node: str | None = None
    datastore: str
    disk_gb: int | None = Field(default=None, gt=0)
    bridge: str = "vmbr0"
    vlan: int | None = Field(default=None, gt=0, lt=4095)
    gateway: str | None = None
    nameservers: tuple[str, ...] = ()
    pool: str | None = None
    vm_ids: VmIds = VmIds()
    user: str = "debian"
    agent: bool = False
    cpu_type: str = "x86-64-v2-AES"
    full_clone: bool = True


class SizeEntry(Table):
    """Size of a machine."""

    cpu_cores: int = Field(ge=1)
    memory_mb: int = Field(ge=512)


class Sizes(Table):
    """Sizes by role; runners are the guide's."""

    runner: SizeEntry = SizeEntry(cpu_cores=2, memory_mb=2048)
    storage: SizeEntry = SizeEntry(cpu_cores=2, memory_mb=2048)
    balancer: SizeEntry = SizeEntry(cpu_cores=1, memory_mb=1024)


class ProxmoxLabFile(Table):
    """A lab that is made on Proxmox VE.

    Attributes:
        version: Of the file's form.
        driver: Tells it from the file of a lab that is there already.
        name: Of the lab.
        topology: What the lab looks like.
        runners: Size of the fleet.
        prefix: Names of VMs begin with it; two labs on one cluster need two.
        subnet: Network of the lab; the last number of each address is the guide's.
        hours: After them, anybody's `sweep` may remove the VMs.
        parallel: VMs that are made at once; storage locks make more of them slower, not faster.
        boot_minutes: How long a machine may take until its sshd answers.
        snapshots: Go back to snapshots between scenarios, instead of building anew.
        network_namespace: Where the lab's addresses are known, if not where the suite is started.
    """

    version: Literal[1]
    driver: Literal["proxmox"]
    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    topology: Literal["single", "production"] = "production"
    runners: int = Field(default=3, ge=2, le=RUNNERS_MAX)
    prefix: str = Field(default="tofu-", pattern=r"^([a-z0-9][a-z0-9-]*)?$", max_length=40)
    subnet: Annotated[str, AfterValidator(_subnet)] = "10.1.0.0/24"
    hours: float = Field(default=8, gt=0, le=24 * 30)
    parallel: int = Field(default=2, ge=1, le=10)
    boot_minutes: float = Field(default=5, gt=0)
    snapshots: bool = True
    network_namespace: str | None = None
    cluster: ClusterEntry
    placement: PlacementEntry
    size: Sizes = Sizes()

    def plan(self) -> Topology:
        """The lab as a topology, in its own network, with the sizes of its VMs."""
        planned = topology(self.topology, self.runners)
        machines = tuple(self._machine(machine) for machine in planned.machines)
        return replace(
            planned,
            machines=machines,
            runner_endpoint=self._endpoint(planned.runner_endpoint),
            storage_endpoint=self._endpoint(planned.storage_endpoint),
            virtual_addresses=tuple(self.address(address) for address in planned.virtual_addresses),
        )

    def _machine(self, machine: MachineSpec) -> MachineSpec:
        size: SizeEntry = getattr(self.size, machine.role.value)
        return replace(machine, address=self.address(machine.address), limits=Limits(size.cpu_cores, size.memory_mb))

    def _endpoint(self, endpoint: Address) -> Address:
        return Address(self.address(endpoint.host), endpoint.port)

    def address(self, guides: str) -> str:
        """An address of the guide, in the lab's network."""
        return str(ipaddress.IPv4Network(self.subnet)[int(guides.rsplit(".", maxsplit=1)[1])])

    @property
    def environment(self) -> str:
        """Folder of OpenTofu's configuration."""
        return ENVIRONMENTS[self.topology]

    def variables(self, run: str, expires: str, ssh_key: str) -> dict[str, Any]:
        """What the environment is given; the token is not among it.

        Args:
            run: Name of the lab or run, as tags take it.
            expires: Moment in UTC, RFC 3339.
            ssh_key: Public key that may log in.
        """
        place = self.placement
        platform = place.model_dump(exclude={"nodes", "template", "vm_ids"}, exclude_none=True)
        return {
            "endpoint": f"{self.cluster.endpoint}/",
            "vm_ids": place.vm_ids.model_dump(),
            "nodes": list(place.nodes),
            "subnet": self.subnet,
            "runners": self.runners,
            **{f"{role.value}_size": getattr(self.size, role.value).model_dump() for role in Role},
            "prefix": self.prefix,
            "platform": {**platform, "template_id": place.template, "ssh_keys": [ssh_key]},
            "run": run,
            "expires": expires,
        }
