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
LOOKS_WITHIN_SECONDS = 20


@pytest.fixture
def silent(owned: Lab) -> Iterator[str]:
    """Name of a runner whose plug is pulled."""
    machine = owned.machines["runner02"]
    machine.cut_power()
    yield machine.name
    machine.power_on()


def test_it_is_looked_over_soon(file: Path, silent: str) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", "check", str(file)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert time.monotonic() - began < LOOKS_WITHIN_SECONDS, done.stdout
    assert done.returncode == FAILED, done.stdout + done.stderr
    lacking = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("lacks")]
    assert lacking
    assert set(lacking) == {f"{silent}:"}, done.stdout


def test_its_checks_fail(file: Path, silent: str, tmp_path: Path) -> None:
    run = run_features(tmp_path, "--lab", str(file), "--check", "V2,V5,V6")
    assert run.process.returncode == FAILED, run.output
    assert f"lacks: {silent}: SSH" in run.output
    assert run.checks["V2"]["verdict"] == "passed"
    for check in ("V5", "V6"):
        assert run.checks[check]["verdict"] == "failed", run.output
