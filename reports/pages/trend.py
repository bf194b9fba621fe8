"""What earlier runs found: verdicts and how fast the fleet got over a loss."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from model.errors import BadInput
from model.verdicts import Verdict
from reports.pages.timelines import is_wait
from reports.recorded import FILE, RecordedRun, load

RUNS_MAX = 12
"""How far back the trend goes."""


@dataclass(frozen=True)
class Past:
    """One run in the trend.

    Attributes:
        id: Of the run.
        started: When.
        topology: On which its numbers depend.
        driver: Kind of lab.
        counts: Checks by verdict.
        exit_code: Of its process.
        failover_seconds: The slowest removal of a dead machine; None when none was measured.
        allowed_seconds: What that one was allowed.
        link: To its page; empty where there is none, and for this run.
        here: It is the run whose page this is.
    """

    id: str
    started: datetime
    topology: str
    driver: str
    counts: dict[str, int]
    exit_code: int
    failover_seconds: float | None
    allowed_seconds: float | None
    link: str
    here: bool

    @property
    def total(self) -> int:
        """How many checks it had."""
        return sum(self.counts.values())


def trend(run: RecordedRun) -> list[Past]:
    """This run and those before it, the newest first; what cannot be read is passed over."""
    names = sorted((path.parent.name for path in run.folder.parent.glob(f"*/{FILE}") if path.parent.name < run.id), reverse=True)
    past = [_past(run, here=True)]
    for name in names:
        if len(past) == RUNS_MAX:
            break
        try:
            past.append(_past(load(run.folder.parent / name), here=False))
        except BadInput:
            continue
    return past


def _past(run: RecordedRun, *, here: bool) -> Past:
    removals = [entry for check in run.checks for entry in check.measurements if is_wait(entry) and "out of rotation" in entry.name]
    slowest = max(removals, key=lambda entry: entry.value, default=None)
    counts = Counter(check.verdict.value.replace(" ", "-") for check in run.checks)
    has_page = not here and (run.folder / "index.html").exists()
    return Past(
        id=run.id,
        started=run.started,
        topology=run.topology,
        driver=run.driver,
        counts={kind: counts[kind] for kind in (verdict.value.replace(" ", "-") for verdict in reversed(Verdict)) if counts[kind]},
        exit_code=run.exit_code,
        failover_seconds=slowest.value if slowest else None,
        allowed_seconds=slowest.limit.bound if slowest and slowest.limit else None,
        link=f"../{run.id}/index.html" if has_page else "",
        here=here,
    )
