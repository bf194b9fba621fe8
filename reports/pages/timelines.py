"""Timelines of disruptive scenarios: what clients saw, by the machine that answered, round the moment of the fault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from model.measurements import Measurement
from model.story import Strike
from reports.recorded import RecordedScenario

NOBODY = "nobody"


@dataclass(frozen=True)
class Mark:
    """One thing that a client did; moments in seconds of the epoch."""

    what: str
    who: str
    started: float
    ended: float | None
    outcome: str

    @property
    def row(self) -> str:
        """The line of a picture that it stands on."""
        return self.who or (self.what if self.outcome == "ok" else NOBODY)


@dataclass(frozen=True)
class Picture:
    """A timeline.

    Attributes:
        scenario: What it shows.
        svg: For the page.
        words: The same in words, for whoever cannot see it.
    """

    scenario: RecordedScenario
    svg: Markup
    words: str


def read_history(path: Path) -> list[Mark]:
    """Read what one client did.

    Args:
        path: `*.history.jsonl`, see `model.history.History.as_data`; lines that are damaged are left out.
    """
    marks = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                entry: dict[str, Any] = json.loads(line)
                at = datetime.fromisoformat(entry["at"]).timestamp()
                ended = None if entry["ended"] is None else at + float(entry["ended"]) - float(entry["started"])
                marks.append(Mark(str(entry["name"]), str(entry["who"]), at, ended, str(entry["outcome"])))
            except (ValueError, KeyError, TypeError):
                continue
    return marks


def is_wait(measurement: Measurement) -> bool:
    """Tell whether it is how long something took to come about after a fault (and not, say, the slowest of many)."""
    return measurement.unit == "s" and "fault" in measurement.labels and measurement.limit is not None and measurement.at > 0


def draw(scenario: RecordedScenario, folder: Path) -> Picture | None:
    """Draw a scenario.

    Args:
        scenario: With its faults.
        folder: Of the run.

    Returns:
        The picture; None when nothing was broken, or nothing was done while it was.
    """
    strikes = [strike for strike in scenario.faults if strike.injected is not None]
    if not strikes:
        return None
    marks = [mark for name in scenario.histories for mark in read_history(folder / name)]
    begun = [sentence for sentence in scenario.sentences if sentence.started is not None]
    if not marks and not begun:
        return None
    from reports.pages.drawing import Canvas  # noqa: PLC0415 - only paid for when there is something to draw

    return Picture(scenario, Canvas(scenario, strikes, marks, begun).svg(), in_words(scenario, strikes, marks))


def in_words(scenario: RecordedScenario, strikes: Sequence[Strike], marks: Sequence[Mark]) -> str:
    """Say what a picture shows."""
    zero = strikes[0].injected or 0.0
    told = []
    for strike in strikes:
        healed = "not healed" if strike.healed is None else f"healed at {strike.healed - zero:.1f} s"
        told.append(f"{strike.title} on {', '.join(strike.machines)} at {(strike.injected or zero) - zero:.1f} s, {healed}")
    told += [entry.sentence() for entry in scenario.measurements if is_wait(entry)]
    for what in dict.fromkeys(mark.what for mark in marks):
        those = [mark for mark in marks if mark.what == what]
        outcomes = {outcome: sum(mark.outcome == outcome for mark in those) for outcome in ("ok", "failed", "unknown")}
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items() if count)
        answered = ", ".join(f"{who} {sum(mark.who == who for mark in those)}" for who in sorted({mark.who for mark in those}) if who)
        told.append(f"{what}: {len(those)} ({counts})" + (f", answered by {answered}" if answered else ""))
    text = "; ".join(told) + "."
    return text[:1].upper() + text[1:]
