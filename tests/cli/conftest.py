"""The command line, as a process of its own and inside of the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from provisioning import places
from provisioning.__main__ import app
from provisioning.embedded import removal

ROOT = Path(__file__).parents[2]
Ended = subprocess.CompletedProcess[str]
Run = Callable[..., Ended]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command in a process of its own, with nobody at the keyboard."""

    def in_a_process(*words: str, stdin: str = "") -> Ended:
        argv = [sys.executable, "-m", "provisioning", *words]
        return subprocess.run(argv, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=180)

    return in_a_process


@pytest.fixture(scope="package")
def lab(run: Run) -> Iterator[str]:
    """Name of a lab made by `up`."""
    name = f"cli-{os.getpid()}"
    made = run("up", name, "--topology", "single", "--runners", "2")
    assert made.returncode == 0, made.stderr
    assert f"lab {name} is up after" in made.stdout
    yield name
    removed = run("down", name)
    assert removed.stdout == f"removed: lab {name}\n"


@pytest.fixture
def ask() -> Callable[..., Result]:
    """Run a command in this process; only for commands that make and remove nothing."""
    return lambda *words: CliRunner().invoke(app, list(words), prog_name="python -m provisioning")


def _never() -> None:
    pytest.fail("this would take every lab of the host for a leftover")


@pytest.fixture
def no_labs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of labs of the test's own. Nothing may sweep with it: every lab of this host would look left behind."""
    monkeypatch.setattr(places, "labs", lambda: tmp_path / "labs")
    monkeypatch.setattr(places, "clusters", lambda: tmp_path / "clusters")
    monkeypatch.setattr(removal, "sweep", _never)
    monkeypatch.setattr(removal, "leftovers", _never)
    return tmp_path / "labs"
