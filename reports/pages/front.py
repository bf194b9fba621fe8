"""`index.html`: what a run found, for a reviewer first: verdict, checklist, failures, timelines, the lab, the record to sign."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.measurements import Measurement
from model.tags import TIERS
from model.verdicts import ExitCode, Verdict
from reports.pages import scenarios
from reports.pages.areas import AREAS, Area, area_of
from reports.pages.failures import Failure, failures_of
from reports.pages.rendering import IN_PART, PLANNED, SIGNS, fresh_file, render
from reports.pages.timelines import Picture, draw
from reports.pages.trend import Past, trend
from reports.recorded import RecordedCheck, RecordedRun, RecordedScenario

FILE = "index.html"
log = logging.getLogger(__name__)
NUMBERS_SHOWN = 3
"""Measurements of a check that its row shows; those with a limit come first, the others stand with the scenario."""

PICTURES_MAX = 60
"""A page of more pictures would not open quickly; the rest is named."""


@dataclass(frozen=True)
class Mark:
    """A verdict as it is shown: never by colour alone."""

    sign: str
    words: str
    kind: str


@dataclass(frozen=True)
class Row:
    """One check in the table.

    Attributes:
        id: Of the check.
        sentence: What is promised.
        source: Where the guide says so.
        mark: Its verdict.
        numbers: What was measured, against what is allowed.
        reasons: Why it was not, or not wholly, run.
        proofs: Its scenarios that were selected.
        left_out: Titles of those that were not.
        link: To its scenarios, step by step; empty without any.
    """

    id: str
    sentence: str
    source: str
    mark: Mark
    numbers: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    proofs: tuple[RecordedScenario, ...] = ()
    left_out: tuple[str, ...] = ()
    link: str = ""


def mark_of(verdict: Verdict, words: str = "") -> Mark:
    """How a verdict is shown; what was only run in part has a sign of its own, and is not green."""
    in_part = verdict is Verdict.NOT_RUN and words not in {"", Verdict.NOT_RUN.value}
    return Mark(IN_PART if in_part else SIGNS[verdict], words or verdict.value, verdict.value.replace(" ", "-"))


def headline(run: RecordedRun) -> tuple[Mark, str]:
    """The verdict in one sentence, for somebody who reads nothing else."""
    failed = [check.id for check in run.checks if check.verdict is Verdict.FAILED]
    unsure = [check.id for check in run.checks if check.verdict is Verdict.INCONCLUSIVE]
    missing = [check.id for check in run.checks if check.verdict is Verdict.NOT_RUN]
    if failed or run.exit_code == ExitCode.FAILED:
        told = f"Not accepted: {_of(failed, run)} found broken." if failed else "Not accepted: something outside of the checks failed."
        return mark_of(Verdict.FAILED), told
    if run.interrupted:
        return mark_of(Verdict.NOT_RUN), "No verdict: the run was interrupted."
    if unsure or run.exit_code == ExitCode.INCONCLUSIVE:
        return mark_of(Verdict.INCONCLUSIVE), f"No verdict: {_unsure(unsure, run)}"
    if run.exit_code != ExitCode.OK or not run.checks:
        return mark_of(Verdict.NOT_RUN), f"Not yet: {len(missing) or 'all'} of {len(run.checks)} checks were not, or not wholly, run."
    return _held(run, len(missing))


def _held(run: RecordedRun, missing: int) -> tuple[Mark, str]:
    """Nothing that was run failed; whether that is an acceptance depends on what was not run."""
    count = len(run.checks)
    in_part = Mark(IN_PART, "passed in part", "not-run")
    if missing:
        return in_part, f"Holds in part: {count - missing} of {count} checks were run, and all of those hold."
    if run.tier in TIERS[: TIERS.index("gate")]:
        return in_part, f"Holds in part: all {count} checks of the tier {run.tier} hold; an acceptance wants the tier gate."
    return mark_of(Verdict.PASSED), f"Accepted: all {count} required checks hold."


def _of(ids: Sequence[str], run: RecordedRun) -> str:
    return f"{len(ids)} of {len(run.checks)} promises {'was' if len(ids) == 1 else 'were'}"


def _unsure(ids: Sequence[str], run: RecordedRun) -> str:
    if ids:
        return f"{len(ids)} of {len(run.checks)} checks could not be told."
    if run.stopped:
        return "the run was stopped early."
    return "the lab could not be cleaned up, or something could not be told."


def numbers_of(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """What was measured, each once: what has a limit first, and of that what missed it before everything."""

    def order(entry: Measurement) -> int:
        return 2 if entry.limit is None else int(entry.limit.holds(entry.value))

    return tuple(dict.fromkeys(entry.sentence() for entry in sorted(measurements, key=order)))


def rows_of(run: RecordedRun, *, linked: bool) -> list[tuple[Area, list[Row]]]:
    """The checklist by area, planned checks included, in the order of the checklist's ids.

    Args:
        run: The run.
        linked: There is a page of scenarios.
    """
    rows = [_row(run, check, linked=linked) for check in run.checks]
    planned = Mark(PLANNED, "planned", "planned")
    rows += [Row(check.id, check.sentence, check.source, planned, reasons=("no scenario proves it yet",)) for check in run.planned]
    areas = list(dict.fromkeys([*AREAS, *(area_of(row.id) for row in rows)]))
    by_area = [(area, sorted((row for row in rows if area.holds(row.id)), key=lambda row: int(row.id[1:]))) for area in areas]
    return [(area, found) for area, found in by_area if found]


def _row(run: RecordedRun, check: RecordedCheck, *, linked: bool) -> Row:
    proofs = tuple(entry for entry in run.scenarios if check.id in entry.checks)
    return Row(
        id=check.id,
        sentence=check.sentence,
        source=check.source,
        mark=mark_of(check.verdict, check.words),
        numbers=numbers_of(check.measurements),
        reasons=check.reasons,
        proofs=proofs,
        left_out=tuple(f"{entry.title} ({entry.reason})" for entry in run.left_out if check.id in entry.checks),
        link=scenarios.link(check.id) if linked and proofs else "",
    )


@dataclass(frozen=True)
class Front:
    """What the template is told."""

    run: RecordedRun
    mark: Mark
    headline: str
    areas: list[tuple[Area, list[Row]]]
    failures: list[Failure]
    pictures: list[Picture]
    undrawn: list[str]
    past: list[Past]
    linked: bool

    @property
    def counts(self) -> list[tuple[Mark, int]]:
        """How many checks of each kind."""
        kinds: dict[str, list[Mark]] = {}
        for _, rows in self.areas:
            for row in rows:
                kinds.setdefault(row.mark.kind, []).append(row.mark)
        order = [verdict.value.replace(" ", "-") for verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.PASSED)]
        return [
            (Mark("⊘" if kind == "not-run" else marks[0].sign, kind.replace("-", " "), kind), len(marks))
            for kind, marks in sorted(kinds.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))
        ]


def pictures_of(run: RecordedRun) -> tuple[list[Picture], list[str]]:
    """Timelines of scenarios that broke something; and what is not drawn, with the reason: a picture is never worth a page."""
    drawn, undrawn = [], []
    wanted = [entry for entry in run.scenarios if entry.faults]
    for entry in wanted[:PICTURES_MAX]:
        try:
            picture = draw(entry, run.folder)
        except Exception as error:
            log.debug("no timeline of %s", entry.nodeid, exc_info=True)
            undrawn.append(f"{entry.title} (could not be drawn: {type(error).__name__}: {error})")
        else:
            drawn += [picture] if picture is not None else []
    return drawn, undrawn + [f"{entry.title} (the page would grow too big)" for entry in wanted[PICTURES_MAX:]]


def write(run: RecordedRun) -> Path:
    """Write the front page into the run's folder.

    Args:
        run: With the folder that it was read from; runs beside it make the trend.

    Returns:
        The page.
    """
    linked = (run.folder / scenarios.FILE).exists()
    mark, told = headline(run)
    pictures, undrawn = pictures_of(run)
    page = Front(run, mark, told, rows_of(run, linked=linked), failures_of(run), pictures, undrawn, trend(run), linked)
    values = {"page": page, "mark_of": mark_of, "numbers_of": numbers_of, "shown": NUMBERS_SHOWN}
    with fresh_file(run.folder / FILE) as file:
        file.write(render("front.html.j2", values))
    return run.folder / FILE
