"""Remove what belongs to a lab, found by its name alone: works after any crash, and twice."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from model.errors import LabUnavailable
from provisioning import places
from provisioning.embedded import ownership
from provisioning.embedded.cgroups import Cgroup, labs_with_groups
from provisioning.embedded.commands import run
from provisioning.embedded.names import CGROUP_ROOT, MACHINE_SUFFIX, PREFIX, LabNames, can_be_a_lab
from provisioning.embedded.network import LabNetwork, namespaces

ENDING_SECONDS = 5.0
PROPAGATED = Path("/run/systemd/nspawn/propagate")
"""Where systemd-nspawn keeps a folder per container; it stays behind when nspawn itself is killed."""


@dataclass(frozen=True)
class Leftover:
    """What a dead run left: by lab, with what was found of it."""

    lab: str
    found: tuple[str, ...]


def remove_everything(names: LabNames) -> None:
    """End a lab's processes, then remove its mounts, namespaces and control groups; its folder stays."""
    _end_processes(names)
    for mount in mounts_below(names.folder):
        run("umount", "-l", mount, check=False)
    LabNetwork(names).remove()
    for folder in PROPAGATED.glob(f"{names.network}-*"):
        if names.owns(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    _remove_groups(Cgroup(names.cgroup()))


def _remove_groups(group: Cgroup) -> None:
    """Also ends a container that was only about to start, and joined the group after its first processes were ended."""
    deadline = time.monotonic() + ENDING_SECONDS
    group.remove()
    while group.exists() and time.monotonic() < deadline:
        group.kill()
        time.sleep(0.01)
        group.remove()


def remove_lab(names: LabNames) -> None:
    """Remove everything that belongs to a lab, its folder included, whoever made it.

    Raises:
        LabUnavailable: Its folder could not be removed.
    """
    remove_everything(names)
    shutil.rmtree(names.folder, ignore_errors=True)
    if names.folder.exists():
        msg = f"{names.folder} could not be removed"
        raise LabUnavailable(msg)


def _end_processes(names: LabNames) -> None:
    group = Cgroup(names.cgroup())
    for machine in (names.folder / "machines").glob("*"):
        part = Cgroup(names.cgroup(machine.name))
        if part.is_frozen():
            part.set_frozen(frozen=False)
    for pid in group.processes():
        if _is_first_of_a_container(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + ENDING_SECONDS
    while group.processes():
        if time.monotonic() > deadline:
            group.kill()
            break
        time.sleep(0.01)
    while group.processes() and time.monotonic() < deadline + ENDING_SECONDS:
        time.sleep(0.01)


def _is_first_of_a_container(pid: int) -> bool:
    """Whether a process is number 1 of its own process namespace; nspawn then ends by itself, and tidily."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(numbers) > 1 and numbers[-1] == "1"


def mounts_below(folder: Path) -> list[str]:
    """Mount points in a folder, innermost first."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted((point for point in points if point.startswith(f"{folder}/")), key=len, reverse=True)


def leftovers() -> list[Leftover]:
    """What runs that died left behind, and nothing that is owned by a living run or kept."""
    found: dict[str, list[str]] = {}
    for folder in sorted(places.labs().glob("*")):
        if folder.is_dir() and not ownership.is_kept(folder) and not ownership.is_owned(folder):
            found.setdefault(folder.name, []).append(f"folder {folder}")
    alive = {folder.name for folder in places.labs().glob("*")} - set(found)
    for name in namespaces():
        lab = _lab_of_namespace(name, alive)
        if lab not in alive:
            found.setdefault(lab, []).append(f"namespace {name}")
    for lab in labs_with_groups(CGROUP_ROOT) - alive:
        found.setdefault(lab, []).append(f"control group {CGROUP_ROOT}/{lab}")
    found = {lab: what for lab, what in found.items() if can_be_a_lab(lab)}
    for lab, what in found.items():
        what += [f"process {pid}" for pid in sorted(Cgroup(LabNames(lab).cgroup()).processes())]
        what += [f"mount {point}" for point in mounts_below(places.labs() / lab)]
    return [Leftover(lab, tuple(what)) for lab, what in sorted(found.items())]


def _lab_of_namespace(name: str, alive: set[str]) -> str:
    lab = name.removeprefix(f"{PREFIX}-")
    of_machine = MACHINE_SUFFIX.search(lab)
    return lab if lab in alive or of_machine is None else lab[: of_machine.start()]


def sweep() -> list[Leftover]:
    """Remove what runs that died left behind.

    Returns:
        What was removed.
    """
    with ownership.registry():
        found = leftovers()
        for leftover in found:
            names = LabNames(leftover.lab)
            remove_everything(names)
            shutil.rmtree(names.folder, ignore_errors=True)
    return found
