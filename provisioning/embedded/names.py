"""Every resource of an embedded lab carries its name, so that leftovers can be told from what is in use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from model.errors import BadInput
from provisioning import places

PREFIX = "tha"
"""First part of every namespace, machine and control group of ours."""

CGROUP_ROOT = "tofu-ha-acceptance"
MACHINE_SUFFIX = re.compile(r"-(?:storage|balancer|runner|vm)\d+$")
"""How a machine's name ends (`vm…`: one that stands behind a VM in a rehearsal); a lab's name never does, so that the two cannot be taken
for one another."""

LONGEST_NAME = 40
"""`tha-<lab>-<machine>` must fit a host name of 64 characters."""


def can_be_a_lab(name: str) -> bool:
    """Whether a lab can have this name."""
    return bool(re.fullmatch(rf"[a-z0-9](?:[a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9])?", name)) and not MACHINE_SUFFIX.search(name)


@dataclass(frozen=True)
class LabNames:
    """Names of what belongs to one lab."""

    lab: str

    def __post_init__(self) -> None:
        """Refuse names that cannot be a host name.

        Raises:
            BadInput: The name is empty, too long, or has characters beside a-z, 0-9 and `-`.
        """
        if not can_be_a_lab(self.lab):
            msg = f"{self.lab!r} cannot be a lab's name: use up to {LONGEST_NAME} of a-z, 0-9 and '-', no '-' or machine's name at its end"
            raise BadInput(msg)

    @property
    def folder(self) -> Path:
        """Where the lab's files are."""
        return places.labs() / self.lab

    @property
    def network(self) -> str:
        """Network namespace with the lab's bridge; the tests enter it."""
        return f"{PREFIX}-{self.lab}"

    def machine(self, name: str) -> str:
        """A machine's name on the host: of its namespace, its container and in process lists."""
        return f"{PREFIX}-{self.lab}-{name}"

    def owns(self, name: str) -> bool:
        """Whether a namespace (or what is named like one) is this lab's: `tha-a-b-runner01` belongs to lab `a-b`, not to `a`."""
        machine = MACHINE_SUFFIX.search(name)
        return name == self.network or (machine is not None and name[: machine.start()] == self.network)

    def machine_folder(self, name: str) -> Path:
        """Where a machine's disk and console are."""
        return self.folder / "machines" / name

    def cgroup(self, name: str = "") -> str:
        """Path of the lab's (or a machine's) control group below each hierarchy."""
        return f"{CGROUP_ROOT}/{self.lab}/{name}".rstrip("/")
