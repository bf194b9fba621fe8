"""pytest plugin that owns the run's folder: JUnit, the run record, warnings, and the table in the terminal."""

from __future__ import annotations

import contextlib
import os
import shutil
import warnings
from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

from model.run import RUN, Run
from model.secrets import SECRETS
from reports import github, record, summary
from reports.messages import closing
from reports.outputs import make_all
from reports.pruning import Claim, prune
from reports.recorded import RecordedRun
from reports.suite import suite_facts
from reports.table import render

JUNIT = "junit.xml"
WARNINGS = "warnings.txt"
LATEST = "latest"
ROOM_BYTES = 4_194_304
CLAIM: pytest.StashKey[Claim] = pytest.StashKey()
"""Held until the process ends."""

MADE: pytest.StashKey[RecordedRun] = pytest.StashKey()
COMPLAINTS: pytest.StashKey[list[str]] = pytest.StashKey()
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
    config = session.config
    run = _written(config)
    if run is None or not _controls(config):
        return
    run.suite = suite_facts(run.root, config.invocation_params.args)
    try:
        run.folder.mkdir(parents=True)
        with contextlib.suppress(OSError):  # some file systems know no locks; then only age protects it
            config.stash[CLAIM] = Claim(run.folder)
        point(run.folder.parent.parent / LATEST, run.folder)
    except OSError as error:
        _complain(config, f"no record will be kept, {run.folder} cannot be made: {error.strerror}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave out JUnit where there is no room for it: pytest's own plugin would end the run with an error."""
    config = session.config
    run, xml = _written(config), config.stash.get(xml_key, None)
    if run is None or xml is None or not _controls(config) or Path(xml.logfile).parent != run.folder:
        return
    if trouble := no_room(run.folder):
        xml.logfile = os.devnull  # its own hook is called all the same: this one has begun
        config.pluginmanager.unregister(xml)
        del config.stash[xml_key]  # pytest would unregister it again
        _complain(config, f"{JUNIT} is left out: {trouble}")


def no_room(folder: Path) -> str:
    """Why a few megabytes cannot be written into a folder; empty when they can."""
    probe = folder / ".room"
    try:
        with probe.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, ROOM_BYTES)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return ""


def _complain(config: pytest.Config, text: str) -> None:
    """Say what is missing of the record; verdicts and exit code stay as they are."""
    config.stash.setdefault(COMPLAINTS, []).append(SECRETS.mask(text))


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
            with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8") as file:
                file.write(f"{nodeid}: {warning_message.category.__name__}: {told}\n")


def pytest_acceptance_concluded(config: pytest.Config, run: Run) -> None:
    """End the record, write the conclusion and what is made from it; JUnit is in the folder even when it was asked for elsewhere."""
    config.stash[MADE] = record.recorded(run)
    if not run.folder.is_dir():
        return
    try:
        if broken := closing.end(run):
            _complain(config, f"the record is not whole: {broken}")
        config.stash[MADE] = record.write(run)
        given = Path(str(config.option.xmlpath))
        if given.is_file() and given.resolve() != (run.folder / JUNIT).resolve():
            shutil.copyfile(given, run.folder / JUNIT)
    except OSError as error:
        _complain(config, f"the record is not whole: {run.folder}: {error.strerror}")
    for trouble in make_all(config.stash[MADE]):
        _complain(config, trouble)
    try:
        github.append_summary(SECRETS.mask(summary.render(config.stash[MADE])))
    except OSError as error:
        _complain(config, f"the summary is not on the job's page: {error.strerror}")
    prune(run.folder.parent, config.getoption("keep_runs"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what was found."""
    run, made = _written(config), config.stash.get(MADE, None)
    if run is None or made is None:
        return
    terminalreporter.section("acceptance")
    width = terminalreporter._tw.fullwidth  # noqa: SLF001 - pytest has no public width
    if not terminalreporter.hasmarkup:
        width = max(width, LOG_WIDTH)
    for complaint in config.stash.get(COMPLAINTS, []):
        terminalreporter.write_line(f"warning: {complaint}", yellow=True)
    for line in render(made, run.told(run.folder), width=width, colour=terminalreporter.hasmarkup).splitlines():
        terminalreporter.write_line(line)
    for command in github.commands(made):
        terminalreporter.write_line(SECRETS.mask(command))
