"""One machine that is silent among others that answer is a finding: it is told soon, and its checks fail."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.lab import Lab
from tests.faulty_labs.acceptance_run import ROOT, run_features

FAILED = 1
SILENCE_COSTS_SECONDS = 17
"""Two waits of `preflight.WITHIN`, one after the other: with the 3 s of a calm host, 20 s at most."""

pytestmark = pytest.mark.proof


@pytest.fixture
def silent(owned: Lab) -> Iterator[str]:
    """Name of a runner whose plug is pulled."""
    machine = owned.machines["runner02"]
    machine.cut_power()
    yield machine.name
    machine.power_on()


def looked(file: Path) -> tuple[subprocess.CompletedProcess[str], float]:
    """What `check` says, and after how many seconds."""
    began = time.monotonic()
    command = [sys.executable, "-m", "provisioning", "check", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    return done, time.monotonic() - began


def test_it_is_looked_over_soon(file: Path, request: pytest.FixtureRequest) -> None:
    done, usual = looked(file)
    assert done.returncode == 0, done.stdout + done.stderr
    silent = request.getfixturevalue("silent")
    done, took = looked(file)
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert took < SILENCE_COSTS_SECONDS + 2 * usual, "however busy this host is"
    lacking = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("lacks")}
    assert lacking == {f"{silent}:"}, done.stdout


def test_its_checks_fail(file: Path, silent: str, tmp_path: Path) -> None:
    run = run_features(tmp_path, "--lab", str(file), "--check", "V2,V5,V6")
    assert run.process.returncode == FAILED, run.output
    assert f"lacks: {silent}: SSH" in run.output
    assert run.checks["V2"]["verdict"] == "passed"
    for check in ("V5", "V6"):
        assert run.checks[check]["verdict"] == "failed", run.output
