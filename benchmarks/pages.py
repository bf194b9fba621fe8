"""The pages of a run: how long they take to make, how big they are, how long they take to open."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.calm import Calm
from benchmarks.results import Row, Table
from model.errors import ToolMissing
from reports.outputs import make_all
from reports.recorded import RecordedRun
from tests.pages import sample

TITLE = "The pages of a run"
COUNTS = (75, 500)
"""Scenarios; the first is about what the whole suite has, a third of them with a timeline."""

MAKING_SECONDS = 3
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@dataclass(frozen=True)
class _Seen:
    making: float
    opening: float
    scenarios_opening: float
    megabytes: float


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Make and open pages again and again."""
    program = shutil.which("chromium")
    if program is None:
        raise ToolMissing("opening pages needs Chromium: run `make browser` as root")
    found: dict[int, list[_Seen]] = {count: [] for count in COUNTS}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        for number in range(1, runs + 1):
            for count, done in found.items():
                tell(f"{count} scenarios, {number} of {runs}")
                with tempfile.TemporaryDirectory() as scratch:
                    run = sample.big_run(Path(scratch) / "runs" / "measured", count, count // 3)
                    calm.wait()
                    done.append(_look(run, browser))
        browser.close()
    rows: list[Row] = []
    for count, done in found.items():
        rows += [
            Row(
                f"{count} scenarios: all pages made",
                tuple(seen.making for seen in done),
                target=MAKING_SECONDS if count == COUNTS[0] else None,
                note=f"{min(count // 3, 60)} timelines",
            ),
            Row(f"{count} scenarios: index.html opened", tuple(seen.opening for seen in done)),
            Row(f"{count} scenarios: scenarios.html opened", tuple(seen.scenarios_opening for seen in done)),
            Row(f"{count} scenarios: both pages", tuple(seen.megabytes for seen in done), unit="MB", target=15),
        ]
    return Table("pages", TITLE, rows, (calm.sentence(),))


def _look(run: RecordedRun, browser: Browser) -> _Seen:
    started = time.monotonic()
    troubles = list(make_all(run))
    making = time.monotonic() - started
    if troubles:
        raise RuntimeError("\n".join(troubles))
    pages = [run.folder / name for name in ("index.html", "scenarios.html")]
    opening, scenarios_opening = (_open(path, browser) for path in pages)
    return _Seen(making, opening, scenarios_opening, sum(path.stat().st_size for path in pages) / 1e6)


def _open(path: Path, browser: Browser) -> float:
    """Seconds until a page shows its first heading."""
    page = browser.new_page()
    started = time.monotonic()
    page.goto(path.as_uri())
    page.locator("h1, h2").first.wait_for()
    took = time.monotonic() - started
    page.close()
    return took
