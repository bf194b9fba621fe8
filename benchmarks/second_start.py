"""A second start, everything cached: what `make acceptance` does until the first scenario begins."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import suite
from benchmarks.calm import Calm
from benchmarks.moments import FIRST_SENTENCE, LAB_WANTED
from benchmarks.results import Row, Table
from benchmarks.trials import TARGET_UP

TITLE = "A second start, from the command to the first scenario"
TARGET_SECONDS = 10


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Start each topology again and again; every run ends after its first scenario."""
    found: dict[str, list[suite.SuiteRun]] = {plan: [] for plan in TARGET_UP}
    for number in range(1, runs + 1):
        for plan, done in found.items():
            tell(f"{plan}, {number} of {runs}")
            calm.wait()
            done.append(suite.run("--topology", plan, "--moments-only-first", first=suite.SETUP, passing=False))
    rows: list[Row] = []
    for plan, done in found.items():
        rows += [
            Row(f"{plan}: to the first scenario", tuple(run.moments[FIRST_SENTENCE] for run in done), target=TARGET_SECONDS),
            Row(f"{plan}: – set-up finds everything, features read", tuple(run.moments[LAB_WANTED] for run in done)),  # noqa: RUF001
            Row(
                f"{plan}: – lab built, until it has settled",  # noqa: RUF001
                tuple(run.moments[FIRST_SENTENCE] - run.moments[LAB_WANTED] for run in done),
            ),
        ]
    return Table("second-start", TITLE, rows, (calm.sentence(),))
