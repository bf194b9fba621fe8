"""Topologies as pure data: which machines there are, where they are, what they are for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from model.errors import AbilityMissing, BadInput

NETWORK_PREFIX = 24
GATEWAY = "10.1.0.1"
RUNNERS_MAX = 100
FIRST_RUNNER = 103
"""Last octet of runner01: the guide's step 4."""


class Role(StrEnum):
    """What a machine is for."""

    STORAGE = "storage"
    BALANCER = "balancer"
    RUNNER = "runner"


@dataclass(frozen=True)
class Address:
    """A place that a client connects to.

    Attributes:
        host: Name or number.
        port: TCP.
        through: Command whose standard streams are the connection, where the place is reached through another host.
    """

    host: str
    port: int
    through: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def require_direct(self) -> Self:
        """The same, for who cannot look through another host.

        Raises:
            AbilityMissing: It is not reached otherwise.
        """
        if self.through:
            msg = f"{self} is reached through a jump host only, which carries SSH and nothing else for us"
            raise AbilityMissing(msg)
        return self

    def __str__(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Limits:
    """Resources of a machine; None is no limit."""

    cpu_cores: int | None = None
    memory_mib: int | None = None


@dataclass(frozen=True)
class MachineSpec:
    """One machine as it is planned.

    Attributes:
        name: Unique in the lab.
        address: Its own.
        role: What it is for.
        limits: What it may use.
        also: What it is for beside that, where one machine does the work of several.
    """

    name: str
    address: str
    role: Role
    limits: Limits = Limits()
    also: tuple[Role, ...] = ()

    @property
    def roles(self) -> tuple[Role, ...]:
        """All that it is for."""
        return (self.role, *self.also)


@dataclass(frozen=True)
class Topology:
    """A planned lab.

    Attributes:
        name: One of `TOPOLOGIES`.
        machines: All machines, storage first, runners last.
        runner_endpoint: Where a pipeline connects to (SSH through HAProxy), the guide's step 5.
        storage_endpoint: Where runners find the state store (S3).
        console_port: Port of MinIO's console on every storage machine.
        node_port: Where a storage machine itself serves S3, if not at the endpoint's port.
        statistics_port: Port of HAProxy's statistics page on every balancer, path `/stats`.
        virtual_addresses: Addresses that move between balancers; empty where there is one balancer.
        guide: Whether machines get the guide's own listings, instead of the reference configuration.
        first: Whose service was started first, where services of two roles want the same port of one machine.
    """

    name: str
    machines: tuple[MachineSpec, ...]
    runner_endpoint: Address = Address("10.1.0.102", 9000)
    storage_endpoint: Address = Address("10.1.0.101", 9000)
    console_port: int = 9001
    statistics_port: int = 8404
    virtual_addresses: tuple[str, ...] = ()
    node_port: int | None = None
    guide: bool = False
    first: Role | None = None

    @property
    def storage_port(self) -> int:
        """Where every storage machine serves S3."""
        return self.node_port or self.storage_endpoint.port

    def of(self, role: Role) -> tuple[MachineSpec, ...]:
        """All machines of a role, in order."""
        return tuple(machine for machine in self.machines if role in machine.roles)


GUIDE_RUNNER = Limits(cpu_cores=2, memory_mib=2048)
"""`cpu_cores = 2`, `memory_mb = 2048` in the guide's step 4."""


def _runners(count: int) -> tuple[MachineSpec, ...]:
    return tuple(MachineSpec(f"runner{i + 1:02}", f"10.1.0.{FIRST_RUNNER + i}", Role.RUNNER, GUIDE_RUNNER) for i in range(count))


def _single(runners: int) -> Topology:
    machines = (MachineSpec("storage01", "10.1.0.101", Role.STORAGE), MachineSpec("balancer01", "10.1.0.102", Role.BALANCER))
    return Topology("single", machines + _runners(runners))


def _production(runners: int) -> Topology:
    storage = tuple(MachineSpec(f"storage{i:02}", f"10.1.0.{10 + i}", Role.STORAGE) for i in range(1, 5))
    balancers = tuple(MachineSpec(f"balancer{i:02}", f"10.1.0.{20 + i}", Role.BALANCER) for i in range(1, 3))
    return Topology("production", storage + balancers + _runners(runners), virtual_addresses=("10.1.0.101", "10.1.0.102"))


def _as_written(runners: int, first: Role = Role.STORAGE, name: str = "as-written") -> Topology:
    """The guide gives MinIO and HAProxy one address and one port; what comes of it depends on who comes first."""
    host = MachineSpec("storage01", "10.1.0.102", Role.STORAGE, also=(Role.BALANCER,))
    return Topology(name, (host, *_runners(runners)), storage_endpoint=Address("10.1.0.102", 9000), guide=True, first=first)


def _as_written_haproxy_first(runners: int) -> Topology:
    return _as_written(runners, Role.BALANCER, "as-written-haproxy-first")


def _as_written_resolved(runners: int) -> Topology:
    return replace(_single(runners), name="as-written-resolved", guide=True)


TOPOLOGIES = {
    "single": _single,
    "production": _production,
    "as-written": _as_written,
    "as-written-haproxy-first": _as_written_haproxy_first,
    "as-written-resolved": _as_written_resolved,
}
DEFAULT_TOPOLOGY = "production"


def topology(name: str = DEFAULT_TOPOLOGY, runners: int = 3) -> Topology:
    """Plan a lab.

    Args:
        name: `production` (the guide's option B, no single point of failure) or `single` (option A), both in the reference
            configuration. Or the guide to the letter: `as-written` (MinIO and HAProxy on one host, both on port 9000, started in the
            guide's order: MinIO first), `as-written-haproxy-first` (the same host after a boot at which HAProxy was quicker),
            `as-written-resolved` (the same listings on a host each).
        runners: Number of runners, 2 to 100; the guide has 3.

    Raises:
        BadInput: No such topology, or a number of runners that it cannot have.
    """
    if name not in TOPOLOGIES:
        msg = f"unknown topology {name!r}; valid ones: {', '.join(TOPOLOGIES)}"
        raise BadInput(msg)
    if not 2 <= runners <= RUNNERS_MAX:  # noqa: PLR2004 - state sharing needs two
        msg = f"a fleet has 2 to {RUNNERS_MAX} runners, not {runners}"
        raise BadInput(msg)
    return TOPOLOGIES[name](runners)
