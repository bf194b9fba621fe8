"""Runs the suite as a process of its own and learns from it when it came how far."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.host import ROOT
from model.errors import AcceptanceError

LONGEST_SECONDS = 1800
LAST_LINES = 15


@dataclass(frozen=True)
class SuiteRun:
    """One run, times in seconds after its process was started.

    Attributes:
        seconds: Until the process ended.
        moments: See `benchmarks.moments`.
        record: The run's `run.json`.
        folder: Where the run keeps all that it tells.
    """

    seconds: float
    moments: dict[str, float]
    record: dict[str, Any]
    folder: Path = Path()


PYTEST = ("pytest", "features")


def pytest_command(*options: str, program: tuple[str, ...] = PYTEST) -> list[str]:
    """The command line of a run from which moments can be learned."""
    return [sys.executable, "-m", *program, "-p", "benchmarks.moments", *options]


def run(*options: str, first: tuple[str, ...] = (), passing: bool = True, program: tuple[str, ...] = PYTEST) -> SuiteRun:
    """Run the suite.

    Args:
        *options: After `pytest features`.
        first: Shell text for what is done before, as part of the measured time; one command each.
        passing: Whether only a run with exit code 0 may be measured.
        program: Module that is run, with its arguments: pytest, or what runs pytest.

    Raises:
        AcceptanceError: It failed, or never came to a scenario; carries its last lines.
    """
    with tempfile.TemporaryDirectory(prefix="tofu-ha-benchmark-") as folder:
        told = Path(folder) / "moments.json"
        command = pytest_command(*options, f"--moments={told}", program=program)
        script = " && ".join([*first, 'exec "$@"'])
        begun = time.monotonic()
        done = subprocess.run(
            ["/bin/sh", "-c", script, "sh", *command],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS,
        )  # fmt: skip
        seconds = time.monotonic() - begun
        if (passing and done.returncode != 0) or not told.exists():
            last = "\n".join((done.stdout + done.stderr).splitlines()[-LAST_LINES:])
            raise AcceptanceError(f"`{' '.join(command)}` ended with {done.returncode}:\n{last}")
        known = json.loads(told.read_text(encoding="utf-8"))
    moments = {name: at - begun for name, at in known["moments"].items()}
    of_the_run = Path(known["folder"])
    record = of_the_run / "run.json"
    return SuiteRun(seconds, moments, json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}, of_the_run)
