"""The condition of a whole lab in one look: what serves and what does not, as facts that can be compared."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from model.errors import AbilityMissing, AcceptanceError, Unreadable
from model.lab import Ability, Lab, Machine
from probes import health
from probes.ssh import knock
from probes.statistics import read_statistics
from probes.store import StoreProbe

LOOK_WITHIN = timedelta(seconds=2)
GOOD = frozenset({"answered", "200", "UP", "one owner", "accepted"})
WRITES = "writes"
MENDING = ("SlowDown", "ServiceUnavailable", "XMinioServerNotInitialized")
"""Beginnings of what a store says that has not found all its drives yet: it looks for them every 10 to 15 s."""

LOOPBACK = "127.0.0.1"
_ADDRESS = re.compile(r"(?<= )([0-9]+(?:\.[0-9]+){3})(?=/[0-9]+(?: |\r|$))")

HEALTH = {"S3": health.live, "write quorum": health.cluster, "read quorum": health.cluster_read}


@dataclass(frozen=True)
class Condition:
    """Facts by what they are about (`runner01: SSH`), each a word (`answered`)."""

    facts: Mapping[str, str]

    @property
    def is_good(self) -> bool:
        """Whether everything serves."""
        return all(fact in GOOD for fact in self.facts.values())

    @property
    def is_mending(self) -> bool:
        """Whether a store is still looking for its drives: it says that it is healthy, but takes no writes."""
        return any(about.endswith(WRITES) and fact.startswith(MENDING) for about, fact in self.facts.items())

    def worse_than(self, baseline: Condition) -> list[str]:
        """What was good in the baseline and is not now, a sentence each."""
        return [
            f"{about} is {self.facts.get(about, 'gone')}, was {was}"
            for about, was in baseline.facts.items()
            if was in GOOD and self.facts.get(about, "") not in GOOD
        ]

    def __str__(self) -> str:
        """What is not good; a lab without faults is short to tell."""
        bad = [f"{about}: {fact}" for about, fact in self.facts.items() if fact not in GOOD]
        return "; ".join(bad) or "everything serves"


def look_at(lab: Lab) -> Condition:
    """Look at every machine of a lab as users and operators do, all at once.

    Looks per machine: the SSH banner, and by role the store's health and a write that leaves nothing behind, or the
    balancer's servers.
    Where addresses move between balancers, who has them. What cannot be looked at from here is left out.
    """
    looks: list[Callable[[], dict[str, str]]] = [lambda machine=machine: _ssh(machine) for machine in lab.machines.values()]  # type: ignore[misc]
    looks += [lambda machine=machine, about=about: _storage(lab, machine, about) for machine in lab.storage for about in HEALTH]  # type: ignore[misc]
    looks += [lambda machine=machine: _writes(lab, machine) for machine in lab.storage]  # type: ignore[misc]
    looks += [lambda machine=machine: _balancer(lab, machine) for machine in lab.balancers]  # type: ignore[misc]
    looks += [lambda: _owners(lab)]
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        found = [future.result() for future in [pool.submit(_as_far_as_possible, look) for look in looks]]
    return Condition({about: fact for facts in found for about, fact in facts.items()})


def _as_far_as_possible(look: Callable[[], dict[str, str]]) -> dict[str, str]:
    try:
        return look()
    except AbilityMissing:
        return {}


def _ssh(machine: Machine) -> dict[str, str]:
    return {f"{machine.name}: SSH": str(knock(machine.ssh, LOOK_WITHIN).reached)}


def _storage(lab: Lab, machine: Machine, about: str) -> dict[str, str]:
    found = HEALTH[about](machine.at(lab.topology.storage_port), LOOK_WITHIN, lab.store)
    return {f"{machine.name}: {about}": str(found.status or found.reached)}


def _writes(lab: Lab, machine: Machine) -> dict[str, str]:
    """Whether a storage machine really takes a write: right after a start it says that it is healthy before it does."""
    probe = StoreProbe(lab.store, machine.at(lab.topology.storage_port).require_direct(), within=LOOK_WITHIN)
    error = probe.leave_nothing(lab.store.key("condition", secrets.token_hex(6)))
    return {f"{machine.name}: {WRITES}": "accepted" if error is None else error.code}


def _balancer(lab: Lab, machine: Machine) -> dict[str, str]:
    statistics = read_statistics(machine.at(lab.topology.statistics_port), LOOK_WITHIN)
    came = "unreadable" if statistics.unreadable else str(statistics.look.status or statistics.look.reached)
    facts = {f"{machine.name}: statistics": came}
    return facts | {f"{machine.name}: {server.pool}/{server.name}": server.status for server in statistics.servers}


def addresses_of(machine: Machine) -> frozenset[str]:
    """IPv4 addresses of all interfaces of a machine, over the control channel.

    Raises:
        ControlChannelLost: It could not be asked.
        Unreadable: It does not say, or not to the end; every machine has its loopback, and every line of `ip` an end.
    """
    done = machine.run("ip -brief -4 address")
    found = frozenset(word for line in done.stdout.split("\n") for word in _ADDRESS.findall(line))
    if not done.ok or LOOPBACK not in found or not done.stdout.endswith("\n"):
        raise Unreadable(f"the addresses of {machine.name} cannot be told: {done.text!r}")
    return found


def owners(lab: Lab, address: str) -> list[str]:
    """Names of the balancers that have an address on an interface of theirs, over the control channel.

    Raises:
        ControlChannelLost: One of them could not be asked.
        Unreadable: One of them does not say.
    """
    found = []
    for machine in lab.balancers:
        if not machine.can(Ability.CONTROL) or not machine.is_on():
            continue
        if address in addresses_of(machine):
            found.append(machine.name)
    return found


def owners_of_all(lab: Lab) -> dict[str, list[str]]:
    """Names of the balancers that have each address that moves; see `owners`."""
    return {address: owners(lab, address) for address in lab.topology.virtual_addresses}


def _owners(lab: Lab) -> dict[str, str]:
    facts = {}
    for address in lab.topology.virtual_addresses:
        try:
            names = owners(lab, address)
        except AcceptanceError as error:
            facts[f"virtual address {address}"] = f"unknown: {error}"
        else:
            facts[f"virtual address {address}"] = "one owner" if len(names) == 1 else f"owned by {' and '.join(names) or 'nobody'}"
    return facts
