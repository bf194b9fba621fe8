"""The catalogue of checks, read from `features/checklist.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from model.errors import BadInput
from model.topology import TOPOLOGIES

DRIVERS = ("embedded", "existing", "proxmox")
"""Every kind of lab that a check can be required on."""


class Check(BaseModel):
    """One promise of the guide, or one that the guide does not see.

    Attributes:
        id: For ever: it survives renames, is a tag (`@check:V4`) and a row of the report.
        sentence: What is promised; the name of the `Rule` that proves it.
        source: Where the guide says so.
        topologies: Where it is required.
        drivers: On which kinds of lab it is required.
        planned: There is no scenario yet: listed, outside every gate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Z][0-9]+$")
    sentence: str = Field(min_length=1)
    source: str = Field(min_length=1)
    topologies: tuple[str, ...] = tuple(TOPOLOGIES)
    drivers: tuple[str, ...] = DRIVERS
    planned: bool = False

    def required_on(self, topology: str, driver: str) -> bool:
        """Tell whether this topology and kind of lab must keep the promise."""
        return topology in self.topologies and driver in self.drivers


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    check: tuple[Check, ...]


class Catalogue:
    """All checks, by id, in the order of the file."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        """Index the checks.

        Raises:
            BadInput: Two checks have the same id, or one names an unknown topology or driver.
        """
        self._checks: dict[str, Check] = {}
        for check in checks:
            if check.id in self._checks:
                raise BadInput(f"check {check.id} is in the checklist twice")
            for kind, given, valid in (("topology", check.topologies, tuple(TOPOLOGIES)), ("driver", check.drivers, DRIVERS)):
                if unknown := sorted(set(given) - set(valid)):
                    raise BadInput(f"check {check.id} names the unknown {kind} {', '.join(unknown)}; valid ones: {', '.join(valid)}")
            self._checks[check.id] = check

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read a checklist.

        Args:
            path: The TOML file, one `[[check]]` table per check.

        Raises:
            BadInput: The file is missing, is no TOML, or has a field that a check does not have.
        """
        try:
            return cls(_File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).check)
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"the checklist {path} cannot be read: {error}") from error

    def __iter__(self) -> Iterator[Check]:
        """All checks in the order of the file."""
        return iter(self._checks.values())

    def __contains__(self, check_id: object) -> bool:
        """Tell whether an id is known."""
        return check_id in self._checks

    def __getitem__(self, check_id: str) -> Check:
        """The check with this id."""
        return self._checks[check_id]

    def __len__(self) -> int:
        """How many checks there are, planned ones included."""
        return len(self._checks)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, in the order of the file."""
        return tuple(self._checks)
