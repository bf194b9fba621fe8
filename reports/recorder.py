"""pytest plugin that owns the run's folder: JUnit, the run record, warnings, and the table in the terminal."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import pytest

from model.run import RUN, Run
from model.secrets import SECRETS
from reports import record
from reports.suite import suite_facts
from reports.table import render

JUNIT = "junit.xml"
WARNINGS = "warnings.txt"
LATEST = "latest"
LOG_WIDTH = 130
"""Columns where nobody looks at a terminal: logs of pipelines are wide."""


def _written(config: pytest.Config) -> Run | None:
    """The run, where something is written for it."""
    run = config.stash.get(RUN, None)
    return None if run is None or run.dry else run


def _controls(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """Always write JUnit; pytest's own plugin does it, and is configured after us."""
    run = _written(config)
    if run is None:
        return
    if _controls(config) and not config.option.xmlpath:
        config.option.xmlpath = str(run.folder / JUNIT)
    if not (_controls(config) and getattr(config.option, "numprocesses", None)):
        config.pluginmanager.register(WarningFile(run.folder / WARNINGS))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Make the run's folder, and let `latest` point to it."""
    run = _written(session.config)
    if run is not None and _controls(session.config):
        run.suite = suite_facts(run.root, session.config.invocation_params.args)
        run.folder.mkdir(parents=True)
        point(run.folder.parent.parent / LATEST, run.folder)


def point(link: Path, target: Path) -> None:
    """Make or replace a symbolic link in one step.

    Args:
        link: Where.
        target: What it points to, below the link's folder.
    """
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target.relative_to(link.parent), target_is_directory=True)
    fresh.replace(link)


class WarningFile:
    """Keeps warnings beside the evidence and masks them; in the process that ran the scenario, for it knows the secrets."""

    def __init__(self, path: Path) -> None:
        """Write into this file."""
        self.path = path

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        """Add a line, and let those who come after us see a masked one."""
        told = SECRETS.mask(str(warning_message.message))
        if told != str(warning_message.message):
            warning_message.message = UserWarning(told)
        if self.path.parent.is_dir():
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{nodeid}: {warning_message.category.__name__}: {told}\n")


def pytest_acceptance_concluded(config: pytest.Config, run: Run) -> None:
    """Write the record, and see that JUnit is in the folder even when it was asked for elsewhere."""
    if not run.folder.is_dir():
        return
    record.write(run)
    given = Path(str(config.option.xmlpath))
    if given.is_file() and given.resolve() != (run.folder / JUNIT).resolve():
        shutil.copyfile(given, run.folder / JUNIT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what was found."""
    run = _written(config)
    if run is None or not run.conclusion:
        return
    terminalreporter.section("acceptance")
    width = terminalreporter._tw.fullwidth  # noqa: SLF001 - pytest has no public width
    if not terminalreporter.hasmarkup:
        width = max(width, LOG_WIDTH)
    for line in render(run, width=width, colour=terminalreporter.hasmarkup).splitlines():
        terminalreporter.write_line(line)
