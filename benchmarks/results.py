"""What a measurement found: rows of values with their target, in tables that go to a terminal, JSON and a document."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SECOND = "s"


@dataclass(frozen=True)
class Row:
    """One quantity, measured several times.

    Attributes:
        what: The quantity, in a reader's words.
        values: Every measured value, in `unit`, in the order of measuring.
        unit: `s`, `ms`, `MB`, `MiB` or `%`.
        target: What the project wants the median to be at most.
        note: What else must be known to read the numbers; takes the place of the numbers where there are none.
    """

    what: str
    values: tuple[float, ...] = ()
    unit: str = SECOND
    target: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the median is within the target; None where there is no target or no value."""
        return None if self.target is None or not self.values else self.median <= self.target

    def cells(self) -> list[str]:
        """The row as text: what, median, smallest to largest, number of values, target, note."""
        if not self.values:
            return [self.what, "not measured", "", "", f"{self.target:g} {self.unit}" if self.target else "", self.note]
        target = "" if self.target is None else f"≤ {self.target:g} {self.unit}: {'yes' if self.reached else 'no'}"
        spread = f"{_number(min(self.values))}–{_number(max(self.values))}"  # noqa: RUF001 - a range
        return [self.what, f"{_number(self.median)} {self.unit}", spread, str(len(self.values)), target, self.note]

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        summary = {"median": self.median, "min": min(self.values), "max": max(self.values)} if self.values else {}
        given = {"what": self.what, "unit": self.unit, "values": list(self.values), "target": self.target, "reached": self.reached}
        return {**given, **summary, "note": self.note}


HEADINGS = ("what", "median", "min–max", "n", "target", "note")  # noqa: RUF001 - a range


@dataclass(frozen=True)
class Table:
    """One measurement.

    Attributes:
        name: As the command line calls it.
        title: What it is about.
        rows: What was found.
        remarks: Sentences that belong below the table.
    """

    name: str
    title: str
    rows: Sequence[Row]
    remarks: Sequence[str] = field(default=())

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "command": self.command,
            "rows": [row.as_data() for row in self.rows],
            "remarks": list(self.remarks),
        }

    @property
    def command(self) -> str:
        """What measures this again."""
        return f".venv/bin/python -m benchmarks {self.name}"


def _number(value: float) -> str:
    """Three significant digits, no exponent."""
    magnitude = abs(value)
    return f"{value:.0f}" if magnitude >= 100 else f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"  # noqa: PLR2004


def collect(trials: Sequence[dict[str, float]], key: str) -> tuple[float, ...]:
    """The values of one key over all trials that have it."""
    return tuple(trial[key] for trial in trials if key in trial)
