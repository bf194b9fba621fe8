"""A control group per machine: limits as the guide sets them, an exact freeze, and a list of its processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

from model.topology import Limits

ROOT = Path("/sys/fs/cgroup")
LEGACY = ("systemd", "unified", "memory", "pids", "freezer", "cpu", "cpuacct", "devices", "blkio", "cpuset")
PERIOD_MICROSECONDS = 100_000
REAL_TIME_MICROSECONDS = 20_000
"""Of each second, for programs of one machine that asked for real-time priority."""
MOST_REAL_TIME_MICROSECONDS = 900_000
"""For all labs of a host; the kernel has 950,000 to give."""

_SHARING = Lock()
"""Machines are made at the same time, and what each counts must be what it writes."""


class Cgroup:
    """One group, in every hierarchy of the host (v1 and hybrid have many, v2 has one)."""

    def __init__(self, path: str) -> None:
        """Name it; nothing is made yet."""
        self.path = path
        self._unified = (ROOT / "cgroup.controllers").exists()

    def _folders(self) -> Iterator[Path]:
        hierarchies = [ROOT] if self._unified else [ROOT / name for name in LEGACY if (ROOT / name).is_dir()]
        return (hierarchy / self.path for hierarchy in hierarchies)

    def _of(self, controller: str) -> Path:
        return (ROOT if self._unified else ROOT / controller) / self.path

    def create(self, limits: Limits) -> None:
        """Make the group and set its limits."""
        for folder in self._folders():
            folder.mkdir(parents=True, exist_ok=True)
            if folder.is_relative_to(ROOT / "cpuset"):
                self._inherit_cpuset(folder)
        if self._unified:
            self._delegate()
        with _SHARING:
            self._weigh()
            self._allow_real_time()
        if limits.memory_mib is not None:
            name = "memory.max" if self._unified else "memory.limit_in_bytes"
            (self._of("memory") / name).write_text(str(limits.memory_mib << 20))
        if limits.cpu_cores is not None:
            quota = limits.cpu_cores * PERIOD_MICROSECONDS
            if self._unified:
                (self._of("cpu") / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
            else:
                (self._of("cpu") / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
                (self._of("cpu") / "cpu.cfs_quota_us").write_text(str(quota))

    def _delegate(self) -> None:
        wanted = "+memory +pids +cpu"
        folder = ROOT
        for part in Path(self.path).parts:
            (folder / "cgroup.subtree_control").write_text(wanted)
            folder /= part

    def _weigh(self) -> None:
        """On a busy host a machine gets as much of a core as a process of the host, not all labs together as much as one."""
        name, unit, most = ("cpu.weight", 100, 10_000) if self._unified else ("cpu.shares", 1024, 262_144)
        for above, machines in self._above("cpu"):
            (above / name).write_text(str(min(most, unit * machines)))

    def _allow_real_time(self) -> None:
        """Where the kernel shares real-time priority out among groups (`CONFIG_RT_GROUP_SCHED`), a new group has none.

        It can be shared out in the first hierarchy only. Labs for which nothing is left go without; keepalived tells it in its journal.
        """
        name = "cpu.rt_runtime_us"
        if self._unified or not (self._of("cpu") / name).exists():
            return
        (top, _), (lab, machines) = self._above("cpu")
        with suppress(OSError):
            (top / name).write_text(str(MOST_REAL_TIME_MICROSECONDS))
            (lab / name).write_text(str(machines * REAL_TIME_MICROSECONDS))
            (self._of("cpu") / name).write_text(str(REAL_TIME_MICROSECONDS))

    def _above(self, controller: str) -> list[tuple[Path, int]]:
        """The groups of the suite and of the lab, each with its number of machines; none where the host lacks the controller."""
        if not self._of(controller).is_dir():
            return []
        parents = [self._of(controller).parents[level] for level in range(len(Path(self.path).parts) - 1)]
        counted = [(parent, len(list(parent.glob("*/" * level)))) for level, parent in enumerate(parents, start=1)]
        return counted[::-1]

    @staticmethod
    def _inherit_cpuset(folder: Path) -> None:
        for parent in [*reversed(folder.relative_to(ROOT / "cpuset").parents), folder.relative_to(ROOT / "cpuset")]:
            here = ROOT / "cpuset" / parent
            for name in ("cpuset.cpus", "cpuset.mems"):
                if here != ROOT / "cpuset" and not (here / name).read_text().strip():
                    (here / name).write_text((here.parent / name).read_text())

    def joining_command(self) -> str:
        """Shell text with which a process puts itself into the group before it becomes another program."""
        return "; ".join(f"echo $$ > {folder}/cgroup.procs" for folder in self._folders())

    def processes(self) -> set[int]:
        """All processes in the group and below."""
        found: set[int] = set()
        for folder in self._folders():
            for group in _deepest_first(folder):
                try:
                    found.update(int(line) for line in (group / "cgroup.procs").read_text().split())
                except OSError:
                    continue  # the group below ended while we looked
        return found

    def kill(self) -> None:
        """End everything in the group at once."""
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def set_frozen(self, *, frozen: bool) -> None:
        """Stop or continue everything in the group, as a hypervisor does with a suspended machine."""
        if self._unified:
            (self._of("") / "cgroup.freeze").write_text("1" if frozen else "0")
        else:
            (self._of("freezer") / "freezer.state").write_text("FROZEN" if frozen else "THAWED")

    def is_frozen(self) -> bool:
        """Whether `set_frozen` is in force."""
        file = self._of("") / "cgroup.freeze" if self._unified else self._of("freezer") / "freezer.state"
        return file.exists() and file.read_text().strip() in {"1", "FROZEN", "FREEZING"}

    def memory_bytes(self) -> int:
        """Memory that the group uses now, page cache included."""
        return int((self._of("memory") / ("memory.current" if self._unified else "memory.usage_in_bytes")).read_text())

    def exists(self) -> bool:
        """Whether any hierarchy still has the group."""
        return any(folder.is_dir() for folder in self._folders())

    def remove(self) -> None:
        """Remove the group and those below; it must hold no process any more."""
        for folder in self._folders():
            for group in _deepest_first(folder):
                _rmdir(group)


def _deepest_first(folder: Path) -> list[Path]:
    """A group and those below, a child before its parent; a machine that boots adds and removes some meanwhile (os.walk bears that)."""
    return [Path(path) for path, _, _ in os.walk(folder, topdown=False)]


def _rmdir(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # still holds a process that is ending: the next sweep removes it


def labs_with_groups(root: str) -> set[str]:
    """Names of labs that have control groups on this host."""
    hierarchies = [ROOT] if (ROOT / "cgroup.controllers").exists() else [ROOT / name for name in LEGACY]
    return {
        entry.name for hierarchy in hierarchies if (hierarchy / root).is_dir() for entry in (hierarchy / root).iterdir() if entry.is_dir()
    }
