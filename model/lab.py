"""A lab as tests see it: machines with abilities, and the endpoints that users connect to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import AbilityMissing
from model.outside import Outside
from model.topology import Address, MachineSpec, Role, Topology

if TYPE_CHECKING:
    from testinfra.host import Host

COMMAND_DEADLINE = timedelta(seconds=30)
SSH_PORT = 22


class Ability(StrEnum):
    """What can be done to a machine beside logging in."""

    CONTROL = "run commands over a channel of its own"
    CUT_POWER = "cut the power"
    SHUT_DOWN = "shut down politely"
    POWER_ON = "power on"
    REBOOT = "reboot"
    SUSPEND = "suspend and resume"
    DISCONNECT = "unplug from the network"
    REBUILD = "rebuild from nothing"
    FILL_DRIVE = "fill a drive that has a file system of its own"
    INSPECT = "ask its hypervisor what it was given"


@dataclass(frozen=True)
class CommandResult:
    """A command that ended.

    Attributes:
        command: As it was given.
        exit_status: As the shell reports it.
        stdout: Standard output, decoded with replacement.
        stderr: Standard error, decoded with replacement.
        duration: From start to end.
        machine: Where it ran.
    """

    command: str
    exit_status: int
    stdout: str
    stderr: str
    duration: timedelta = timedelta()
    machine: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_status == 0

    @property
    def text(self) -> str:
        """Both streams, for a message."""
        return "\n".join(part for part in (self.stdout.rstrip(), self.stderr.rstrip()) if part)


class Machine(ABC):
    """One machine of a running lab.

    Power methods end when their effect is there (see each driver's documentation for what a peer sees then);
    they raise `AbilityMissing` where the driver cannot do it.
    """

    ssh_port: int = SSH_PORT
    """Where its own sshd listens."""

    def __init__(self, spec: MachineSpec) -> None:
        """Wrap what was planned."""
        self.spec = spec
        self.name, self.address, self.role, self.limits = spec.name, spec.address, spec.role, spec.limits

    def __repr__(self) -> str:
        """Name and address."""
        return f"<{type(self).__name__} {self.name} {self.address}>"

    @property
    def ssh(self) -> Address:
        """Where a user logs in who passes the endpoint by."""
        return self.at(self.ssh_port)

    def at(self, port: int) -> Address:
        """One of its ports, as it is reached from where the suite runs."""
        return Address(self.address, port)

    @property
    @abstractmethod
    def abilities(self) -> frozenset[Ability]:
        """What can be done to this machine."""

    def can(self, ability: Ability) -> bool:
        """Tell whether the driver can do this to the machine."""
        return ability in self.abilities

    def require(self, ability: Ability) -> None:
        """Raise `AbilityMissing` unless the driver can do this."""
        if not self.can(ability):
            msg = f"the lab's driver cannot do this to {self.name}: {ability.value}"
            raise AbilityMissing(msg)

    @abstractmethod
    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        """Run a shell command as root over the control channel.

        Where that channel is itself an SSH session of the machine, the command finds the session's two ends in
        `CONTROL_CONNECTION`, as sshd writes them into `SSH_CONNECTION` (address and port of the client, address and port of the
        machine): a fault that must not cut its own way back spares them.

        Raises:
            AbilityMissing: There is no such channel, or no root at its end.
            ControlChannelLost: The channel failed, the machine is off, or the command did not end in time.
        """

    @property
    @abstractmethod
    def host(self) -> Host:
        """Testinfra's view of the machine, over the control channel."""

    @abstractmethod
    def is_on(self) -> bool:
        """Whether the machine has power (not whether it serves)."""

    @abstractmethod
    def console(self, lines: int = 40) -> str:
        """Last lines of the machine's console; empty where the driver has none."""

    def inspect(self) -> Outside:
        """What the hypervisor gave it, asked now."""
        self.require(Ability.INSPECT)
        raise NotImplementedError

    def cut_power(self) -> None:
        """Pull the plug: silence at once, nothing is written any more."""
        self.require(Ability.CUT_POWER)

    def shut_down(self) -> None:
        """`shutdown -h now`; ends when the machine is off and silent."""
        self.require(Ability.SHUT_DOWN)

    def power_on(self) -> None:
        """Boot; ends when the control channel answers."""
        self.require(Ability.POWER_ON)

    def reboot(self) -> None:
        """Polite reboot; ends when the control channel answers again."""
        self.require(Ability.REBOOT)

    def suspend(self) -> None:
        """Freeze everything on it; silent from outside."""
        self.require(Ability.SUSPEND)

    def resume(self) -> None:
        """Undo `suspend`."""
        self.require(Ability.SUSPEND)

    def disconnect(self) -> None:
        """Unplug the network cable; processes go on."""
        self.require(Ability.DISCONNECT)

    def reconnect(self) -> None:
        """Undo `disconnect`."""
        self.require(Ability.DISCONNECT)

    def rebuild(self) -> None:
        """New disk, new host key signed by the lab's CA, role applied; ends when the control channel answers."""
        self.require(Ability.REBUILD)


@dataclass(frozen=True)
class PublishedKeys:
    """What the lab tells a pipeline about the endpoint: nothing else may be needed to connect.

    Attributes:
        known_hosts: Lines for OpenSSH's `known_hosts` (a `@cert-authority` line, or one per host key).
        plain_keys: Public host keys (`ssh-ed25519 AAAA…`) of every runner, by machine, for clients that know no host CA.
    """

    known_hosts: str
    plain_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fleet:
    """The runner endpoint as a pipeline knows it."""

    endpoint: Address
    user: str
    private_key: Path
    published: PublishedKeys


@dataclass(frozen=True)
class Store:
    """The state store as its administrator knows it.

    Attributes:
        endpoint: Where it serves S3.
        bucket: Where the states are.
        access_key: Of its administrator; empty for a stranger.
        secret_key: That goes with it.
        region: As requests are signed.
        secure: Whether it speaks TLS.
        ca_file: Who signs its certificates then, and nobody else; None: whom this host trusts.
        prefix: What is below it in the bucket is ours.
        plain_nodes: Whether TLS ends before its machines, so that they themselves speak none.
    """

    endpoint: Address
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    secure: bool = False
    ca_file: Path | None = None
    prefix: str = "acceptance"
    plain_nodes: bool = False

    @property
    def own(self) -> str:
        """How the keys of our objects begin, lab and run apart."""
        return f"{self.prefix}/"

    def key(self, *parts: str) -> str:
        """A key below our prefix."""
        return "/".join((self.prefix, *parts))

    @property
    def url(self) -> str:
        """The endpoint as a URL."""
        return self.url_of(self.endpoint)

    def speaks_tls(self, address: Address) -> bool:
        """Whether TLS is spoken at the endpoint, or at a port of one of its machines."""
        return self.secure and (address == self.endpoint or not self.plain_nodes)

    def url_of(self, address: Address) -> str:
        """The endpoint, or a port of one of its machines, as a URL."""
        return f"{'https' if self.speaks_tls(address) else 'http'}://{address}"


@dataclass
class Lab:
    """A running lab.

    Attributes:
        name: Unique on this host.
        driver: Name of the driver that made it.
        topology: What was planned.
        machines: By name, storage first, runners last.
        fleet: The runner endpoint.
        store: The state store.
        backend_settings: Where runners keep their partial backend configuration.
        mc: The operator's client on this host, as the guide's step 2 uses it.
        folder: Where the driver keeps what belongs to this lab.
        phases: Seconds of set-up by phase (layout, boot, …).
    """

    name: str
    driver: str
    topology: Topology
    machines: dict[str, Machine]
    fleet: Fleet
    store: Store
    backend_settings: str = "/etc/tofu/backend.tfbackend"
    mc: Path | None = None
    folder: Path | None = None
    phases: dict[str, float] = field(default_factory=dict)

    def of(self, role: Role) -> list[Machine]:
        """All machines of a role, in order."""
        return [machine for machine in self.machines.values() if role in machine.spec.roles]

    @property
    def runners(self) -> list[Machine]:
        """The fleet."""
        return self.of(Role.RUNNER)

    @property
    def storage(self) -> list[Machine]:
        """The storage nodes."""
        return self.of(Role.STORAGE)

    @property
    def balancers(self) -> list[Machine]:
        """The balancers."""
        return self.of(Role.BALANCER)


class LabDriver(ABC):
    """Makes labs, and removes what it made.

    Attributes:
        name: As the catalogue of checks calls this kind of lab.
        ours: Whether its labs are ours to break and to replace; else we are guests.
    """

    name: str
    ours: bool = True

    @abstractmethod
    def provision(self, topology: Topology, name: str) -> Lab:
        """Build a lab; ends when every control channel answers and systemd has no queued job (20 s at most).

        Whether the lab *serves* is not looked at: scenarios judge that.

        Raises:
            LabUnavailable: A machine did not boot, or the lab could not be built; nothing is left behind.
        """

    def reset(self, lab: Lab) -> bool:
        """Bring a lab that got worse back to how it came, where that is quicker than another one.

        Returns:
            Whether it was done; else the lab is removed, and made anew.
        """
        del lab
        return False

    @abstractmethod
    def enter(self, lab: Lab) -> None:
        """Move the calling thread to where the lab's addresses mean its machines."""

    @abstractmethod
    def keep(self, lab: Lab) -> None:
        """Let the lab live on after this process."""

    @abstractmethod
    def remove(self, lab: Lab) -> None:
        """Remove everything that belongs to the lab; of one that is not ours, drop the connections to it."""
