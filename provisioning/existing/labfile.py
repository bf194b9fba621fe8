"""What a lab file says: the machines, endpoints and permissions of a lab that somebody owns."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field, model_validator

from model.tags import DISRUPTIONS, QUORUM
from model.topology import MachineSpec, Role, Topology
from provisioning.existing.secret import Secret
from provisioning.existing.tables import File, HostPort, Port, Table
from provisioning.proxmox.connection import ClusterEntry
from provisioning.roles.reference import BACKEND_SETTINGS, BUCKET, PIPELINE_USER

VERSION = 1
RUNNERS_MIN, BALANCERS_MAX = 2, 2
HOST_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$"
PREFIX = r"^[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]$"


Disruption = Literal["runner", "balancer", "storage", "quorum"]


class Jump(Table):
    """A host that stands before machines which cannot be reached directly."""

    address: str = Field(min_length=1)
    port: Port = 22
    user: str | None = None
    private_key: File | None = None
    known_hosts: File | None = None


class Login(Table):
    """How to log in to machines for control: as root, or as somebody who becomes root by `sudo` without a password.

    Attributes:
        user: Whose account.
        port: Where sshd listens.
        private_key: Its key; without one, ssh takes what it finds (agent, default keys).
        known_hosts: Who may answer; without one, the file of whoever runs the suite.
        jump: The way in.
        sudo: Whether root is had by sudo; as the user's name says unless given.
    """

    user: str = "root"
    port: Port = 22
    private_key: File | None = None
    known_hosts: File | None = None
    jump: Jump | None = None
    sudo: bool | None = None


class Commands(Table):
    """Commands of the host that runs the suite, `{machine}` and `{address}` filled in: power and network of machines.

    Attributes:
        off: Pull the plug.
        on: Switch on.
        is_on: Ends with 0 when the machine has power, with 1 when it has none.
        reboot: Reboot it in good order; `systemctl reboot` on the machine unless given.
        suspend: Freeze it.
        resume: Let it go on.
        rebuild: Make it anew from nothing; it may have another host key then, signed by the lab's host CA.
        network_off: Unplug it from the network.
        network_on: Plug it in again.
        within: Seconds that each of them may take.
    """

    off: str | None = None
    on: str | None = None
    is_on: str | None = None
    reboot: str | None = None
    suspend: str | None = None
    resume: str | None = None
    rebuild: str | None = None
    network_off: str | None = None
    network_on: str | None = None
    within: float = Field(default=120, gt=0)

    @model_validator(mode="after")
    def _whole(self) -> Commands:
        for one, others in {
            "off": ("on", "is_on"),
            "on": ("is_on",),
            "suspend": ("resume",),
            "network_off": ("network_on",),
        }.items():
            for other in others:
                if getattr(self, one) is not None and getattr(self, other) is None:
                    msg = f"`{one}` alone is of no use: give `{other}` as well"
                    raise ValueError(msg)
        return self


class MachineEntry(Table):
    """One machine; what is not given is as in `[ssh]` and `[power]`.

    Attributes:
        vm: Id of the VM that it is, in the cluster of `[proxmox]`: instead of commands for power and network.
    """

    name: str = Field(pattern=HOST_NAME)
    address: str = Field(min_length=1)
    roles: tuple[Role, ...] = Field(min_length=1)
    user: str | None = None
    port: Port | None = None
    private_key: File | None = None
    known_hosts: File | None = None
    jump: Jump | None = None
    sudo: bool | None = None
    power: Commands | None = None
    vm: int | None = Field(default=None, ge=100)


class FleetEntry(Table):
    """The runners' endpoint as pipelines know it."""

    endpoint: HostPort
    user: str = PIPELINE_USER
    private_key: File
    host_ca: str | None = None
    known_hosts: File | None = None
    backend_settings: str = BACKEND_SETTINGS

    @model_validator(mode="after")
    def _published(self) -> FleetEntry:
        if (self.host_ca is None) == (self.known_hosts is None):
            msg = "say what pipelines are told about who may answer: `host_ca` (the line of the host CA's public key) or `known_hosts`"
            raise ValueError(msg)
        return self


class StoreEntry(Table):
    """The state store as its administrator knows it.

    Attributes:
        endpoint: Where runners find it.
        bucket: Where the states are.
        prefix: What is below it is ours.
        region: As requests are signed.
        tls: Whether it speaks TLS.
        ca_file: Who signs its certificates, and nobody else; without one, whom the host of the suite trusts.
        access_key: Of its administrator.
        secret_key: That goes with it.
        console_port: Of MinIO's console.
        node_port: Where its machines serve S3 themselves, if not at the endpoint's port.
        node_tls: Whether its machines speak TLS themselves; as the endpoint does unless given.
    """

    endpoint: HostPort
    bucket: str = BUCKET
    prefix: str = Field(default="acceptance", pattern=PREFIX)
    region: str = "us-east-1"
    tls: bool = False
    ca_file: File | None = None
    access_key: Secret
    secret_key: Secret
    console_port: Port = 9001
    node_port: Port | None = None
    node_tls: bool | None = None

    @model_validator(mode="after")
    def _trusted(self) -> StoreEntry:
        if self.ca_file is not None and not self.tls:
            msg = "`ca_file` is for a store that speaks TLS: give `tls = true` as well, or leave it out"
            raise ValueError(msg)
        if self.node_tls and not self.tls:
            msg = "`node_tls = true` wants `tls = true`: a store whose machines speak TLS, but not its endpoint, is not known to the suite"
            raise ValueError(msg)
        return self


class BalancerEntry(Table):
    """What balancers have in common."""

    statistics_port: Port = 8404
    virtual_addresses: tuple[str, ...] | None = None


class Permissions(Table):
    """What the suite may do to the lab; nothing that disrupts, unless it is said here."""

    disruption: frozenset[Disruption] = frozenset()
    provision: bool = False
    foreign_locks: bool = True


class Around(Table):
    """Commands of this host before the first disruption of a run and after the last one, as to silence alerts.

    Attributes:
        before: Where it fails, nothing is disrupted.
        after: Run where `before` was, whatever happened; also by `heal`.
        within: Seconds that each of them may take.
    """

    before: str | None = None
    after: str | None = None
    within: float = Field(default=60, gt=0)


class LabFile(Table):
    """A lab that somebody owns.

    Attributes:
        version: Of the file's form.
        name: Of the lab.
        topology: Which checks are required of it.
        machine: All machines.
        network_namespace: Where its addresses are known, if not where the suite is started.
    """

    version: Literal[1]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    topology: Literal["single", "production"] = "production"
    network_namespace: str | None = None
    ssh: Login = Login()
    power: Commands = Commands()
    proxmox: ClusterEntry | None = None
    fleet: FleetEntry
    store: StoreEntry
    balancer: BalancerEntry = BalancerEntry()
    permissions: Permissions = Permissions()
    around_disruption: Around = Around()
    machine: tuple[MachineEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> LabFile:
        for what in ("name", "address"):
            counted = Counter(getattr(entry, what) for entry in self.machine)
            for value, times in counted.items():
                if times > 1:
                    names = " and ".join(entry.name for entry in self.machine if getattr(entry, what) == value)
                    msg = f"{times} machines have the {what} {value}: {names}"
                    raise ValueError(msg)
        counts = {role: sum(role in entry.roles for entry in self.machine) for role in Role}
        if counts[Role.RUNNER] < RUNNERS_MIN:
            msg = f"a fleet has at least {RUNNERS_MIN} machines with the role runner; the file has {counts[Role.RUNNER]}"
            raise ValueError(msg)
        if counts[Role.STORAGE] < 1:
            msg = "no machine has the role storage"
            raise ValueError(msg)
        if self.proxmox is None and (named := [entry.name for entry in self.machine if entry.vm is not None]):
            msg = f"{named[0]} has the id of a VM, but there is no table [proxmox] that says in which cluster"
            raise ValueError(msg)
        if not 1 <= counts[Role.BALANCER] <= BALANCERS_MAX:
            msg = f"one or two machines have the role balancer; the file has {counts[Role.BALANCER]}"
            raise ValueError(msg)
        return self

    @property
    def permitted(self) -> tuple[str, ...]:
        """What may be disrupted; a store of one machine loses its quorum with it, and quorum is never implied."""
        given = set(self.permissions.disruption)
        if self.withheld:
            given -= {Role.STORAGE.value}
        return tuple(part for part in DISRUPTIONS if part in given)

    @property
    def withheld(self) -> str:
        """What is permitted and not done all the same, and why; empty where nothing is."""
        given = self.permissions.disruption
        if Role.STORAGE.value not in given or QUORUM in given or sum(Role.STORAGE in entry.roles for entry in self.machine) > 1:
            return ""
        return 'storage is not disrupted: a store of one machine has no quorum without it; permit "quorum", too (permissions.disruption)'

    def login_of(self, entry: MachineEntry) -> Login:
        """How to log in to one machine."""
        own = {name: getattr(entry, name) for name in Login.model_fields if getattr(entry, name) is not None}
        return self.ssh.model_copy(update=own)

    def commands_of(self, entry: MachineEntry) -> Commands:
        """Power and network of one machine."""
        own = entry.power.model_dump(exclude_unset=True) if entry.power else {}
        return self.power.model_copy(update=own)

    def plan(self) -> Topology:
        """The lab as a topology."""
        ordered = sorted(self.machine, key=lambda entry: list(Role).index(entry.roles[0]))
        specs = tuple(MachineSpec(entry.name, entry.address, entry.roles[0], also=entry.roles[1:]) for entry in ordered)
        own = {entry.address for entry in self.machine}
        moving = self.balancer.virtual_addresses
        if moving is None:
            endpoints = (self.store.endpoint.host, self.fleet.endpoint.host)
            moving = tuple(dict.fromkeys(host for host in endpoints if host not in own))
        return Topology(
            self.topology,
            specs,
            self.fleet.endpoint,
            self.store.endpoint,
            self.store.console_port,
            self.balancer.statistics_port,
            moving,
            self.store.node_port,
        )
