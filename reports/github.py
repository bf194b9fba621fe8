"""What GitHub Actions shows of a run: annotations at the sentences that broke, and the summary on the job's page.

Source: "Workflow commands for GitHub Actions"; 10 errors a step are shown, so the first ten are told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from model.verdicts import Verdict
from reports.recorded import RecordedRun, RecordedScenario

MOST = 10
MOST_BYTES = 900_000
"""GitHub refuses a summary of more than 1 MiB, all steps of a job together."""

LINE = re.compile(r"\(line (\d+)\)")


def commands(run: RecordedRun, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """A line per failed scenario.

    Args:
        run: Concluded.
        environment: Nothing is told outside of GitHub.

    Yields:
        Commands for GitHub's runner; only what failed is an error, what is inconclusive stands in the summary.
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    failed = [scenario for scenario in run.scenarios if scenario.verdict is Verdict.FAILED]
    for scenario in failed[:MOST]:
        title = _property(f"{', '.join(scenario.checks)}: {scenario.title}")
        yield f"::error file={_property(scenario.file)},line={_line(scenario)},title={title}::{_message(scenario.reason)}"


def _line(scenario: RecordedScenario) -> int:
    found = LINE.search(scenario.sentence)
    return int(found[1]) if found else scenario.line


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def append_summary(text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Put the summary onto the job's page, where there is one.

    Raises:
        OSError: GitHub's file cannot be written.
    """
    place = environment.get("GITHUB_STEP_SUMMARY")
    if place and len(text.encode()) < MOST_BYTES:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(text)
