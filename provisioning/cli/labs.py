"""Which labs are on this host, whose they are, and which one is meant."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from model.errors import BadInput, HostUnfit
from model.lab import Lab
from provisioning import places
from provisioning.cli.telling import PROGRAM
from provisioning.embedded import ownership
from provisioning.embedded.blueprint import Blueprint
from provisioning.embedded.cgroups import Cgroup
from provisioning.embedded.driver import attach
from provisioning.embedded.machine import EmbeddedMachine
from provisioning.embedded.names import LabNames, can_be_a_lab


class Owner(StrEnum):
    """Who answers for a lab."""

    RUN = "run"
    KEPT = "kept"
    NOBODY = "nobody"


WORDS = {Owner.RUN: "belongs to a run that lives", Owner.KEPT: "kept", Owner.NOBODY: "left by a run that died"}


@dataclass(frozen=True)
class Entry:
    """One lab of this host.

    Attributes:
        name: Its name.
        owner: Who answers for it.
        topology: None while the lab is only about to be made, and for what is no lab.
        created: When it was made.
        machines: `on`, `off` or `suspended`, by machine.
        what: What it is, in words, where it is no lab.
    """

    name: str
    owner: Owner
    topology: str | None
    created: datetime | None
    machines: Mapping[str, str]
    what: str = ""

    @property
    def enter(self) -> str | None:
        """Command that enters it; None where there is no way in."""
        if self.owner is Owner.NOBODY or self.topology is None:
            return None
        return f"{PROGRAM} ssh fleet --lab {self.name}"

    @property
    def remove(self) -> str:
        """Command that removes it."""
        force = " --force" if self.owner is Owner.RUN else ""
        return f"{PROGRAM} down {self.name}{force}"

    def age(self, now: datetime | None = None) -> timedelta | None:
        """Time since it was made."""
        return None if self.created is None else (now or datetime.now(UTC)) - self.created

    def sentence(self) -> str:
        """The lab in one line."""
        on = sum(state == "on" for state in self.machines.values())
        others = [f"{name} {state}" for name, state in self.machines.items() if state != "on"]
        state = f"{on} of {len(self.machines)} machines on" + (f" ({', '.join(others)})" if on and others else "")
        age = self.age()
        parts = [
            self.what or self.topology or "not laid out",
            state,
            *([f"{spoken(age)} old"] if age is not None else []),
            WORDS[self.owner],
        ]
        return f"{self.name}: {', '.join(parts)}"

    def as_json(self) -> dict[str, Any]:
        """For programs; `age_seconds`, `created` and `enter` are null while the lab is only about to be made."""
        age = self.age()
        return {
            "name": self.name,
            "topology": self.topology,
            "what": self.what or None,
            "machines": dict(self.machines),
            "created": self.created.isoformat(timespec="seconds") if self.created else None,
            "age_seconds": round(age.total_seconds()) if age is not None else None,
            "owner": self.owner.value,
            "enter": self.enter,
            "remove": self.remove,
        }


def spoken(age: timedelta) -> str:
    """A time as people say it: `42 s`, `7 min`, `3 h`, `2 days`."""
    seconds = max(age.total_seconds(), 0)
    for unit, length, up_to in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < up_to:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds // 86_400:.0f} days"


def require_root() -> None:
    """Raise unless this process may see and change labs.

    Raises:
        HostUnfit: It may not.
    """
    if os.geteuid() != 0:
        raise HostUnfit(f"embedded labs need root: run it as root (sudo {PROGRAM} …); `doctor`, and tests of an existing lab, do not")


def entries() -> list[Entry]:
    """All labs of this host, by name.

    Raises:
        HostUnfit: Not root.
    """
    require_root()
    return [_entry(folder) for folder in sorted(places.labs().glob("*")) if folder.is_dir() and can_be_a_lab(folder.name)]


def owner_of(folder: Path) -> Owner:
    """Who answers for the lab in a folder."""
    if ownership.is_kept(folder):
        return Owner.KEPT
    return Owner.RUN if ownership.is_owned(folder) else Owner.NOBODY


def _entry(folder: Path) -> Entry:
    owner, what = owner_of(folder), ownership.what_is(folder)
    if what:
        names, since = LabNames(folder.name), datetime.fromtimestamp((folder / ownership.WHAT).stat().st_mtime, UTC)
        states = {machine.name: _state_of_group(Cgroup(names.cgroup(machine.name))) for machine in sorted(folder.glob("machines/*"))}
        return Entry(folder.name, owner, None, since, states, what)
    try:
        lab, created = attach(folder.name), datetime.fromtimestamp(Blueprint.load(folder).created, UTC)
    except BadInput:
        return Entry(folder.name, owner, None, None, {})
    states = {name: state_of(machine) for name, machine in lab.machines.items() if isinstance(machine, EmbeddedMachine)}
    return Entry(folder.name, owner, lab.topology.name, created, states)


def state_of(machine: EmbeddedMachine) -> str:
    """`on`, `off` or `suspended`."""
    if machine.is_suspended():
        return "suspended"
    return "on" if machine.is_on() else "off"


def _state_of_group(group: Cgroup) -> str:
    if not group.processes():
        return "off"
    return "suspended" if group.is_frozen() else "on"


def choose(name: str | None) -> Lab:
    """The lab that is meant: the one that was named, or the only one that is up.

    Args:
        name: As given by `--lab`.

    Raises:
        BadInput: There is none of that name, none at all, or more than one; lists them.
        HostUnfit: Not root.
    """
    up = [entry.name for entry in entries() if entry.owner is not Owner.NOBODY and not entry.what]
    if name is not None:
        if name in up:
            return attach(name)
        raise BadInput(f"there is no lab {name!r}; {_listed(up)}")
    if len(up) != 1:
        raise BadInput(f"say which lab is meant with --lab NAME; {_listed(up)}" if up else _listed(up))
    return attach(up[0])


def _listed(up: list[str]) -> str:
    return f"labs that are up: {', '.join(up)}" if up else f"no lab is up; make one: {PROGRAM} up"


def machine_of(lab: Lab, name: str) -> EmbeddedMachine:
    """A lab's machine.

    Raises:
        BadInput: It has none of that name; lists them.
    """
    machine = lab.machines.get(name)
    if not isinstance(machine, EmbeddedMachine):
        raise BadInput(f"lab {lab.name} has no machine {name!r}; it has {', '.join(lab.machines)}")
    return machine
