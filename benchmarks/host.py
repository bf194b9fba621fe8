"""The host that was measured on: numbers mean nothing without it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Host:
    """A host, as a reader compares it with their own.

    Attributes:
        cores: That this process may use.
        processor: Its model.
        memory_gib: Of the whole host.
        system: Distribution and kernel.
        when: Day of the measurement (UTC).
        revision: Of the project.
    """

    cores: int
    processor: str
    memory_gib: float
    system: str
    when: str
    revision: str

    def sentence(self) -> str:
        """One line."""
        return f"{self.cores} cores ({self.processor}), {self.memory_gib:.0f} GiB of memory, {self.system}."


def this_host() -> Host:
    """Look at this host and this checkout."""
    release = platform.freedesktop_os_release()
    return Host(
        cores=len(os.sched_getaffinity(0)),
        processor=_field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        memory_gib=int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) / 2**20,
        system=f"{release.get('PRETTY_NAME', release.get('NAME', 'Linux'))}, kernel {platform.release().partition('-')[0]}",
        when=f"{datetime.now(UTC):%Y-%m-%d}",
        revision=_revision(),
    )


def _field(file: Path, name: str) -> str:
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _revision() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
