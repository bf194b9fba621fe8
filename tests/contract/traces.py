"""What a lab leaves on a host, found without any code of the driver: by its name in the kernel's own lists."""

from __future__ import annotations

import re
from pathlib import Path

LABS = Path("/var/lib/tofu-ha-acceptance/labs")


def traces_of(lab: str) -> list[str]:
    """Everything on this host that carries a lab's name: folder, mounts, namespaces, control groups, processes, nspawn's folders.

    Args:
        lab: The lab's name; labs whose names only begin with it do not count.
    """
    return [*_files(lab), *_mounts(lab), *_groups(lab), *_processes(lab)]


def _named(lab: str) -> re.Pattern[str]:
    return re.compile(rf"tha-{re.escape(lab)}(-(storage|balancer|runner|vm)\d+)?$")


def _files(lab: str) -> list[str]:
    folders = [Path("/run/netns"), *Path("/run/systemd/nspawn").glob("*"), Path("/run/systemd/nspawn")]
    named = [str(entry) for folder in folders if folder.is_dir() for entry in folder.iterdir() if _named(lab).search(entry.name)]
    return named + [str(LABS / lab)] * (LABS / lab).exists()


def _mounts(lab: str) -> list[str]:
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    return [f"mount {point}" for point in points if f"{LABS / lab}/" in point or _named(lab).search(point)]


def _groups(lab: str) -> list[str]:
    root = Path("/sys/fs/cgroup")
    return [str(path) for path in [*root.glob(f"tofu-ha-acceptance/{lab}"), *root.glob(f"*/tofu-ha-acceptance/{lab}")]]


def _processes(lab: str) -> list[str]:
    """Processes that name the lab in their arguments, or are in a control group or below a root of it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            groups = (process / "cgroup").read_text(encoding="utf-8")
        except OSError:
            continue  # it ended while we looked
        if not words:
            continue  # it ended, and its parent has not asked how
        if f"{LABS / lab}/" in words or f"/tofu-ha-acceptance/{lab}/" in groups:
            found.append(f"process {process.name}: {words}")
    return found
