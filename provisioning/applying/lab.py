"""Applies the reference configuration to a whole lab that somebody owns: facts come from the lab file and from the lab itself."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from model.errors import BadInput, HostUnfit, LabUnavailable, ToolMissing
from model.lab import SSH_PORT, Lab, Machine
from model.secrets import SECRETS
from model.topology import Address, Role
from model.waiting import wait_until
from probes import health
from provisioning import toolchain
from provisioning.applying.changes import Changes, changes
from provisioning.applying.doing import perform
from provisioning.applying.present import look
from provisioning.roles import Applied
from provisioning.roles.reference import CREDENTIALS, Credentials, LabFacts, services

ORDER = (Role.STORAGE, Role.RUNNER, Role.BALANCER)
STORE_WITHIN = timedelta(seconds=60)
PROGRAMS = {"minio": toolchain.MINIO, "tofu": toolchain.TOFU}


@dataclass(frozen=True)
class Planned:
    """What would be done to one machine."""

    machine: Machine
    changes: Changes


def owned_facts(lab: Lab) -> LabFacts:
    """What templates may say about a lab that somebody owns.

    Args:
        lab: Connected.

    Raises:
        BadInput: The lab is made in a way that the reference configuration does not know.
        LabUnavailable: No runner has keys of the state store.
    """
    if lab.store.secure or lab.topology.storage_port != lab.topology.storage_endpoint.port:
        msg = (
            "the reference configuration has no TLS before the state store; apply is for labs with store.tls = false and no store.node_port"
        )
        raise BadInput(msg)
    for runner in lab.runners:
        if runner.ssh_port != SSH_PORT:
            raise BadInput(f"the reference configuration balances port {SSH_PORT}; the sshd of {runner.name} listens at {runner.ssh_port}")
    key, secret = _runners_keys(lab.runners)
    credentials = Credentials(lab.store.access_key, lab.store.secret_key, key, secret)
    return LabFacts(lab.topology, credentials, "", lab.store.bucket, lab.fleet.user, lab.backend_settings)


def _runners_keys(runners: Iterable[Machine]) -> tuple[str, str]:
    """The keys of the state store that runners have: the first who has some speaks for all."""
    for runner in runners:
        said = runner.run(f"cat {CREDENTIALS} 2>/dev/null").stdout
        found = [re.search(rf"^\s*{name}\s*=\s*(\S+)", said, re.MULTILINE) for name in ("aws_access_key_id", "aws_secret_access_key")]
        if found[0] and found[1]:
            return found[0][1], SECRETS.register(found[1][1])
    raise LabUnavailable(
        f"no runner has keys of the state store in {CREDENTIALS}; make a user for them (mc admin user add), and write the file on one"
        " runner: [default], aws_access_key_id = …, aws_secret_access_key = …"
    )


def interface_of(machine: Machine) -> str:
    """The network interface that has a machine's address.

    Raises:
        LabUnavailable: None has it.
    """
    said = machine.run(f"ip -o -4 addr show to {shlex.quote(machine.address)}/32").stdout
    found = re.match(r"\d+:\s+([^\s@]+)", said)
    if found is None:
        raise LabUnavailable(f"no network interface of {machine.name} has the address {machine.address} of the lab file")
    return found[1]


def plan(lab: Lab, wanted: Callable[[Machine], Applied]) -> list[Planned]:
    """Compare every machine with what it should be, all at once; nothing is changed.

    Args:
        lab: Connected.
        wanted: What a machine should have.

    Raises:
        LabUnavailable: A machine cannot be looked at.
        HostUnfit: A machine is neither Debian nor Ubuntu.
    """

    def compare(machine: Machine) -> Planned:
        applied = wanted(machine)
        return Planned(machine, changes(machine.name, applied, look(machine, applied)))

    ordered = sorted(lab.machines.values(), key=lambda machine: ORDER.index(machine.role))
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(compare, ordered))


def wanted_of_owned(facts: LabFacts) -> Callable[[Machine], Applied]:
    """What a machine should have that somebody owns: services and settings, no names, no keys, no logins."""

    def wanted(machine: Machine) -> Applied:
        interface = interface_of(machine) if Role.BALANCER in machine.spec.roles else ""
        return services(machine.spec, facts, interface)

    return wanted


def programs_for(planned: Iterable[Planned], given: Mapping[str, Path | None] | None = None) -> dict[str, Path]:
    """Programs of this host that machines lack.

    Raises:
        HostUnfit: One is missing here; names the command that makes it.
    """
    names = {name for each in planned for name in each.changes.programs}
    try:
        return {name: toolchain.find(PROGRAMS[name], (given or {}).get(name)).path for name in sorted(names)}
    except ToolMissing as error:
        raise HostUnfit(f"machines lack {', '.join(sorted(names))}, and it is not here to be copied: {error}") from error


def carry_out(lab: Lab, planned: Iterable[Planned], programs: Mapping[str, Path], tell: Callable[[str], object]) -> None:
    """Change machine after machine, so that never more than one of a role is away.

    Args:
        lab: Connected.
        planned: What to do.
        programs: By name.
        tell: Is told what is being done.

    Raises:
        LabUnavailable: A step failed, or the store did not recover from the change of one of its machines; the rest is left alone.
    """
    for each in planned:
        if not each.changes:
            continue
        tell(f"changing {each.machine.name}")
        perform(each.machine, each.changes, programs)
        if Role.STORAGE in each.machine.spec.roles and each.changes.units:
            _await_store(lab, each.machine)


def _await_store(lab: Lab, machine: Machine) -> None:
    """The store must write again before the next of its machines is touched."""
    address = Address(machine.address, lab.topology.storage_port)
    wait_until(
        lambda: health.cluster(address).status,
        lambda status: status == 200,  # noqa: PLR2004 - HTTP
        what=f"the state store takes writes after {machine.name} was changed",
        within=STORE_WITHIN,
        error=LabUnavailable,
    )
