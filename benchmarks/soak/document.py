"""`docs/soak.md`: a line for every run, whatever it found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import suite
from benchmarks.host import ROOT
from benchmarks.soak.variants import Variant
from model.verdicts import Verdict

DOCUMENT = ROOT / "docs/soak.md"
DIGITS = 12
COLUMNS = 12
ROW = re.compile(r"^\| \d{4}-\d\d-\d\d \d\d:\d\d \|.*\|$", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """One run.

    Attributes:
        when: Its beginning, in UTC.
        revision: Of the project.
        topology: Of its labs.
        checks: What was run.
        labs: How many at once.
        load: Cores that were kept busy meanwhile.
        order: Of the scenarios.
        seed: What its choices by chance depended on; in quotes, `pytest --seed` repeats them.
        seconds: From the start of its process to the end.
        exit_code: Of the process.
        scenarios: How many had a verdict.
        digest: Of all verdicts.
    """

    when: str
    revision: str
    topology: str
    checks: str
    labs: int
    load: int
    order: str
    seed: str
    seconds: float
    exit_code: int
    scenarios: int
    digest: str

    def as_row(self) -> str:
        """A row of the document's table."""
        cells = (
            self.when, f"`{self.revision}`", self.topology, f"`{self.checks}`", self.labs, self.load or "none", self.order,
            f"`{self.seed}`", f"{self.seconds:.0f}", self.exit_code, self.scenarios, f"`{self.digest}`",
        )  # fmt: skip
        return f"| {' | '.join(map(str, cells))} |"

    @classmethod
    def from_row(cls, row: str) -> Line:
        """Read a row of the document's table.

        Raises:
            ValueError: It is none.
        """
        cells = [cell.strip().strip("`") for cell in row.strip().strip("|").split("|")]
        if len(cells) != COLUMNS:
            raise ValueError(f"a line of {DOCUMENT.name} has {COLUMNS} cells, this one {len(cells)}: {row}")
        when, revision, topology, checks, labs, load, order, seed, seconds, exit_code, scenarios, digest = cells
        return cls(
            when, revision, topology, checks, int(labs), 0 if load == "none" else int(load), order, seed, float(seconds),
            int(exit_code), int(scenarios), digest,
        )  # fmt: skip

    def is_of(self, variant: Variant, topology: str, checks: str) -> bool:
        """Whether the run was one of these."""
        mine = (self.labs, self.load, self.order, self.topology, self.checks)
        return mine == (variant.labs, variant.load, variant.order, variant.place(topology), checks)


def digest_of(record: Mapping[str, Any]) -> str:
    """Digest of the verdicts of a run: equal when every scenario came to the same one.

    Args:
        record: Contents of `run.json`.
    """
    verdicts = sorted(f"{entry['nodeid']} {entry['verdict']}" for entry in record["scenarios"])
    return hashlib.sha256("\n".join(verdicts).encode()).hexdigest()[:DIGITS]


def line_of(found: suite.SuiteRun, variant: Variant, *, revision: str, checks: str) -> Line:
    """What the document says of a run.

    Args:
        found: The run.
        variant: How it was run.
        revision: Of the project.
        checks: What was run.
    """
    record = found.record
    counted = sum(entry["verdict"] != Verdict.NOT_RUN for entry in record["scenarios"])
    return Line(
        when=record["started"][:16].replace("T", " "), revision=revision, topology=variant.place(record["topology"]), checks=checks,
        labs=variant.labs, load=variant.load, order=variant.order, seed=record["seed"], seconds=found.seconds,
        exit_code=record["exit_code"], scenarios=counted, digest=digest_of(record),
    )  # fmt: skip


def lines(document: Path) -> list[Line]:
    """All runs of the document, the oldest first."""
    return [Line.from_row(row) for row in ROW.findall(document.read_text(encoding="utf-8"))]


def append(document: Path, line: Line) -> None:
    """Add a line at the end of the document's table."""
    text = document.read_text(encoding="utf-8").rstrip("\n")
    document.write_text(f"{text}\n{line.as_row()}\n", encoding="utf-8")
