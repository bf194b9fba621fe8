"""A scenario as it stands in its file: sentences, tags, what it proves, where it makes sense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from model.catalogue import Catalogue
from model.tags import DISRUPTIONS, TIERS

Kind = Literal["given", "when", "then"]


@dataclass(frozen=True)
class Sentence:
    """One step, as it is read aloud."""

    kind: Kind
    keyword: str
    text: str
    line: int

    def __str__(self) -> str:
        """Keyword and text, as in the file."""
        return f"{self.keyword} {self.text}"


@dataclass(frozen=True)
class Scenario:
    """One scenario, or one row of an outline.

    Attributes:
        nodeid: As pytest names its item.
        path: The feature file.
        file: The same, relative to the project.
        line: Where the scenario starts.
        row: Line of its row in the examples; 0 for a plain scenario.
        title: For people; an outline's row adds its values.
        template: Its name in the file.
        slug: Name of the item without the row's part.
        parameter: The row's part of the item's name; empty for a plain scenario.
        feature: Name of the feature.
        rule: Name of the rule; empty without one.
        tags: Of the feature, the rule, the scenario and the row's table, without `@`.
        checks: Ids that it proves.
        sentences: All steps, background first, the row's values filled in.
        defects: What is wrong with it, each with file and line; empty when it can run.
    """

    nodeid: str
    path: Path
    file: str
    line: int
    title: str
    template: str
    slug: str
    parameter: str = ""
    row: int = 0
    feature: str = ""
    rule: str = ""
    tags: frozenset[str] = frozenset()
    checks: tuple[str, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    defects: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the item."""
        return f"{self.slug}[{self.parameter}]" if self.parameter else self.slug

    @property
    def folder(self) -> str:
        """A name for a folder of its own (evidence)."""
        row = re.sub(r"[^\w.-]+", "_", self.parameter)
        return f"{self.path.stem}.{self.slug}" + (f".{row}" if row else "")

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"

    @property
    def tier(self) -> str:
        """The smallest tier that it runs in."""
        return next((tier for tier in TIERS if tier in self.tags), "gate")

    @property
    def disrupts(self) -> frozenset[str]:
        """What it breaks on purpose, of `model.tags.DISRUPTIONS`: everything, where it does not say."""
        if "disruptive" in self.tags:
            return frozenset(DISRUPTIONS)
        return frozenset(tag.removeprefix("disruptive:") for tag in self.tags if tag.startswith("disruptive:"))

    @property
    def disruptive(self) -> bool:
        """Whether it breaks something on purpose."""
        return bool(self.disrupts)

    @property
    def topologies(self) -> frozenset[str]:
        """Where it makes sense; empty for everywhere."""
        return frozenset(tag.removeprefix("topology:") for tag in self.tags if tag.startswith("topology:"))

    @property
    def needs(self) -> frozenset[str]:
        """Names of the abilities (`CUT_POWER`) that machines must have."""
        return frozenset(tag.removeprefix("needs:").replace("-", "_").upper() for tag in self.tags if tag.startswith("needs:"))

    def fits(self, topology: str, driver: str, tier: str, catalogue: Catalogue) -> bool:
        """Tell whether it is applicable here; a defective one always is, so that nobody overlooks it."""
        if self.defects:
            return True
        return (
            (not self.topologies or topology in self.topologies)
            and TIERS.index(self.tier) <= TIERS.index(tier)
            and any(catalogue[check].required_on(topology, driver) for check in self.checks)
        )
