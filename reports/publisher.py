"""pytest plugin that makes a run's pages when everything else is recorded. Verdict and exit code are fixed by then."""

from __future__ import annotations

import pytest

from model.run import Run
from reports.pages import front
from reports.pages.publishing import publish

PROBLEMS: pytest.StashKey[list[str]] = pytest.StashKey()
PAGE: pytest.StashKey[str] = pytest.StashKey()


@pytest.hookimpl(trylast=True)
def pytest_acceptance_concluded(config: pytest.Config, run: Run) -> None:
    """Make the pages; no warning of Python's, as one may be turned into an error and end the run otherwise than by its verdict."""
    if run.folder.is_dir():
        config.stash[PROBLEMS] = publish(run.folder)
        if (run.folder / front.FILE).exists():
            config.stash[PAGE] = run.told(run.folder / front.FILE)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where the page is, or why there is none."""
    for problem in config.stash.get(PROBLEMS, []):
        terminalreporter.write_line(f"warning: {problem}", yellow=True)
    if page := config.stash.get(PAGE, ""):
        terminalreporter.write_line(f"Report: {page}")
