"""A pytest plugin (`-p benchmarks.moments --moments FILE`) that notes when a run came how far, for a process that waits outside.

The monotonic clock is the same for all processes of a host, so the other process can subtract.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.run import RUN

MOMENTS: pytest.StashKey[dict[str, float]] = pytest.StashKey()
LAB_WANTED, FIRST_SENTENCE, ENDED = "lab wanted", "first scenario", "ended"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("benchmarks")
    group.addoption("--moments", metavar="FILE", help="write moments (monotonic seconds) and the run's folder into FILE")
    group.addoption("--moments-only-first", action="store_true", help="end the run after its first scenario")


def _note(config: pytest.Config, moment: str) -> None:
    config.stash.setdefault(MOMENTS, {}).setdefault(moment, time.monotonic())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The first scenario asks for the lab."""
    _note(item.config, LAB_WANTED)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """The first scenario begins: its lab is up and has settled."""
    _note(item.config, FIRST_SENTENCE)
    if item.config.getoption("moments_only_first"):
        item.session.shouldstop = "its first scenario was reached"
    yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """The run ends: its lab is removed, its record written."""
    yield
    _note(session.config, ENDED)
    if file := session.config.getoption("moments"):
        run = session.config.stash.get(RUN, None)
        known = {"folder": str(run.folder) if run else "", "moments": session.config.stash[MOMENTS]}
        Path(file).write_text(json.dumps(known), encoding="utf-8")
