"""Runs the suite as a process of its own and learns from it when it came how far."""

from __future__ import annotations

import contextlib
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
HEALED_WITHIN_SECONDS = 120


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
SETUP = ("make -s setup >/dev/null",)
"""What `make acceptance` does before."""


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
        code, said = _run_to_its_end(["/bin/sh", "-c", script, "sh", *command])
        seconds = time.monotonic() - begun
        if (passing and code != 0) or not told.exists():
            last = "\n".join(said.splitlines()[-LAST_LINES:])
            raise AcceptanceError(f"`{' '.join(command)}` ended with {code}:\n{last}")
        known = json.loads(told.read_text(encoding="utf-8"))
    moments = {name: at - begun for name, at in known["moments"].items()}
    of_the_run = Path(known["folder"])
    record = of_the_run / "run.json"
    return SuiteRun(seconds, moments, json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}, of_the_run)


def _run_to_its_end(argv: list[str]) -> tuple[int, str]:
    """Exit status and output; whatever ends us has it heal and remove its lab first."""
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said, _ = process.communicate(timeout=LONGEST_SECONDS)
        except BaseException:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=HEALED_WITHIN_SECONDS)
            process.kill()
            raise
        return process.returncode, said
