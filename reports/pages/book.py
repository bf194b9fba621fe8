"""The book of promises: every check with its scenarios as they are written. Needs no lab and no run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.catalogue import DRIVERS, Catalogue, Check
from model.errors import BadInput
from model.features import read_features
from model.topology import TOPOLOGIES
from reports.pages.areas import AREAS, Area, area_of
from reports.pages.glossary import Glossary, Section
from reports.pages.rendering import render
from reports.pages.written import Written, as_written


@dataclass(frozen=True)
class Planted:
    """A lab that is defective on purpose, and by which scenario of which check that is found.

    Attributes:
        name: What is wrong with it.
        topology: Of the lab.
        check: That must fail there.
        scenarios: Titles of those that find it.
    """

    name: str
    topology: str
    check: str
    scenarios: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One check in the book.

    Attributes:
        check: From the checklist.
        proofs: Scenarios that prove it and are told here.
        elsewhere: Scenarios that prove it too, told under another check.
        planted: Defects that show that it can fail.
        section: Marks words of the glossary.
    """

    check: Check
    proofs: tuple[Written, ...]
    elsewhere: tuple[Written, ...]
    planted: tuple[Planted, ...]
    section: Section

    @property
    def anchor(self) -> str:
        """Its place in the book."""
        return f"check-{self.check.id.lower()}"

    @property
    def rows(self) -> int:
        """How many scenarios prove it, each row of an outline being one."""
        return sum(sum(self.check.id in row.checks for row in written.rows) for written in (*self.proofs, *self.elsewhere))


@dataclass
class Book:
    """What the template is told."""

    chapters: list[tuple[Area, list[Entry]]]
    glossary: Glossary
    homes: dict[str, str] = field(default_factory=dict)

    @property
    def entries(self) -> list[Entry]:
        """All checks."""
        return [entry for _, entries in self.chapters for entry in entries]

    @property
    def unproven(self) -> list[Entry]:
        """Checks that no scenario proves."""
        return [entry for entry in self.entries if not entry.rows]

    @property
    def scenarios(self) -> int:
        """How many scenarios are told, each row of an outline being one."""
        return sum(len(written.rows) for entry in self.entries for written in entry.proofs)


def read_book(root: Path, planted: Iterable[Planted] = ()) -> Book:
    """Put the book together.

    Args:
        root: The project's folder.
        planted: Defects that tests plant into labs.

    Raises:
        BadInput: The checklist or the glossary cannot be read, or a scenario has a defect: a book with a hole would not
            show that there is one.
    """
    catalogue = Catalogue.load(root / "features" / "checklist.toml")
    scenarios = read_features(root / "features", root, catalogue)
    if defects := [defect for scenario in scenarios for defect in scenario.defects]:
        raise BadInput("the features cannot be made into a book:\n" + "\n".join(defects))
    glossary, told = Glossary.load(), as_written(scenarios)
    areas = list(dict.fromkeys([*AREAS, *(area_of(check.id) for check in catalogue)]))
    by_check: dict[str, list[Planted]] = {}
    for defect in planted:
        by_check.setdefault(defect.check, []).append(defect)
    chapters = [(area, [_entry(check, told, by_check, glossary) for check in catalogue if area.holds(check.id)]) for area in areas]
    homes = {written.anchor: written.checks[0] for written in told if written.checks}
    return Book([(area, entries) for area, entries in chapters if entries], glossary, homes)


def _entry(check: Check, told: Sequence[Written], by_check: dict[str, list[Planted]], glossary: Glossary) -> Entry:
    proofs = [written for written in told if check.id in written.checks]
    return Entry(
        check=check,
        proofs=tuple(written for written in proofs if written.checks[0] == check.id),
        elsewhere=tuple(written for written in proofs if written.checks[0] != check.id),
        planted=tuple(by_check.get(check.id, ())),
        section=glossary.section(f"check-{check.id.lower()}"),
    )


def write_book(root: Path, target: Path, planted: Iterable[Planted] = ()) -> Path:
    """Write the book as one HTML file.

    Args:
        root: The project's folder.
        target: The file; folders above it are made.
        planted: Defects that tests plant into labs.

    Returns:
        The file.
    """
    page = render("book.html.j2", {"book": read_book(root, planted), "topologies": len(TOPOLOGIES), "drivers": len(DRIVERS)})
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    return target
