"""Puts a copy of the project to the test, in processes that have the libraries loaded already."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("model", "provisioning", "probes", "faults", "fixtures", "steps", "reports", "tests", "benchmarks")
LIBRARIES = (
    "hypothesis",
    "pydantic",
    "boto3",
    "minio",
    "paramiko",
    "jinja2",
    "rich",
    "typer",
    "requests",
    "pytest_bdd",
    "proxmoxer",
    "testinfra",
)
WITHOUT = ("-p", "no:xdist", "--confcutdir", "tests", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Without what unit tests do not need: workers, plugins of acceptance tests, and a warning that libraries are loaded already."""

LONG_AGO = 1_000_000_000
LOOKS_EVERY_SECONDS = 0.02
CLOCK_PER_PROCESSOR = 6
"""Of a run of tests on a busy host; a mutant that waits for ever is ended by the clock, one that spins by the processor's time."""


IDLE_SECONDS, LITTLE_SECONDS = 60, 0.1
"""A run that has used next to no processor's time for as long waits for ever: no unit test sleeps half as long."""


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Ended:
    """How a run of tests ended.

    Attributes:
        code: Exit code of pytest; None when it had to be ended.
        seconds: How long it took.
    """

    code: int | None
    seconds: float


class Copy:
    """A copy of the project, in which modules may be changed while somebody works on the original."""

    def __init__(self, place: Path) -> None:
        """Make it, in place of an older one."""
        self.place, self.said = place, place.with_suffix(".log")
        self._count = 0
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place / name)

    def write(self, module: str, source: str) -> None:
        """Change a module; its time tells Python that what was compiled of it is outdated."""
        path = self.place / module
        path.write_text(source, encoding="utf-8")
        self._count += 1
        os.utime(path, (LONG_AGO + self._count, LONG_AGO + self._count))

    def test(self, arguments: Sequence[str], within: float, plugins: Sequence[object] = ()) -> Ended:
        """Run tests of the copy in a process of their own.

        Args:
            arguments: For pytest.
            within: Seconds of processor time, or six times as many by the clock, or a minute in which it does nothing; then it is ended,
                with all that it started.
            plugins: For pytest.
        """
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            self._run(arguments, plugins, within)
        code: int | None = None
        used, idle_since = 0.0, started
        while (now := time.monotonic()) - started < within * CLOCK_PER_PROCESSOR and now - idle_since < IDLE_SECONDS:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                break
            if (spent := _processor_seconds(child)) - used >= LITTLE_SECONDS:
                used, idle_since = spent, now
            time.sleep(LOOKS_EVERY_SECONDS)
        _end_group(child)
        if code is None:
            os.waitpid(child, 0)
        return Ended(None if code == -signal.SIGXCPU else code, time.monotonic() - started)

    def _run(self, arguments: Sequence[str], plugins: Sequence[object], within: float) -> None:
        """What the child does; it never returns."""
        code = 99
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(within), resource.RLIM_INFINITY))
            os.chdir(self.place)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            said = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(said, 1)
            os.dup2(said, 2)
            for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
                del sys.modules[name]
            sys.path[:] = [str(self.place), *(each for each in sys.path if Path(each or ".").resolve() not in (ROOT, self.place))]
            code = int(pytest.main(["-q", *WITHOUT, *arguments], plugins=list(plugins)))
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _processor_seconds(process: int) -> float:
    """What a process of ours has used up to now (proc(5), `/proc/PID/stat`, fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _end_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def load_libraries() -> None:
    """Import once what every run of tests would import again."""
    for name in LIBRARIES:
        importlib.import_module(name)
