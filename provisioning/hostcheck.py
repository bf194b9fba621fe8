"""What this host can and what it lacks for embedded labs, each with the remedy: read by set-up and by `doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import ToolMissing
from provisioning import images, places, toolchain
from provisioning.commands import GIGABYTE, SETUP_COMMAND

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
"""Programs on the host, and the Debian packages that hold them."""

OLDEST_PYTHON = (3, 11)
SETUP_BYTES = 6 * GIGABYTE
LAB_BYTES = 2 * GIGABYTE
MEMORY_BYTES = 3 * GIGABYTE
CONTROLLERS = ("memory", "pids", "cpu", "freezer")
_CGROUPS = Path("/sys/fs/cgroup")
_TRY_SECONDS = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it will do.
        found: What was found.
        remedy: What to do where it will not.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""


def essentials() -> list[Finding]:
    """What set-up cannot make; takes microseconds."""
    return [_python(), _root(), *_programs()]


def examine() -> list[Finding]:
    """Look at everything; takes under a second, changes nothing that outlives the look."""
    findings = essentials()
    if os.geteuid() == 0:
        findings += [_overlay(), _network_namespace()]
    findings += [
        _cgroups(),
        _room("disk for programs and image", places.cache(), _setup_bytes(), "make room there, or point XDG_CACHE_HOME at another disk"),
        _room("disk for labs", places.labs(), LAB_BYTES, "make room there"),
    ]
    return [*findings, _memory(), *_made()]


def _python() -> Finding:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("Python", sys.version_info >= OLDEST_PYTHON, platform.python_version(), f"use Python {wanted} or newer")


def _root() -> Finding:
    user = os.geteuid()
    return Finding(
        "root",
        user == 0,
        f"user {user}",
        "run as root: network namespaces, containers and the image need it; an existing lab (--lab FILE.toml) does not",
    )


def _programs() -> Iterator[Finding]:
    for program, package in PROGRAMS.items():
        path = shutil.which(program)
        yield Finding(program, path is not None, path or "not there", f"run `{SETUP_COMMAND}`, or `apt-get install {package}`")


def _try(command: list[str]) -> tuple[bool, str]:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_TRY_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return False, str(problem)
    return answer.returncode == 0, answer.stderr.strip() or f"exit status {answer.returncode}"


def _overlay() -> Finding:
    """Mount one in a mount namespace of its own, where labs will be."""
    base = _existing(places.labs())
    with tempfile.TemporaryDirectory(prefix=f"{places.PROJECT}-", dir=base) as folder:
        for name in ("lower", "upper", "work", "merged"):
            (Path(folder) / name).mkdir()
        mount = f"cd '{folder}' && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged && umount merged"
        works, said = _try(["unshare", "--mount", "sh", "-c", mount])
        shutil.rmtree(Path(folder) / "work", ignore_errors=True)
    remedy = f"the kernel needs overlayfs, and {base} must be on a file system that can be its upper layer (ext4, xfs; not overlay itself)"
    return Finding("overlayfs", works, "works" if works else said, remedy)


def _network_namespace() -> Finding:
    commands = "ip link set lo up && ip link add probe0 type bridge && ip link add probe1 type veth peer name probe2"
    works, said = _try(["unshare", "--net", "sh", "-c", commands])
    return Finding(
        "network namespaces",
        works,
        "work" if works else said,
        "the kernel needs network namespaces, bridges and veth; a container must be privileged",
    )


def _cgroups() -> Finding:
    if (_CGROUPS / "cgroup.controllers").is_file():
        there = {*(_CGROUPS / "cgroup.controllers").read_text().split(), "freezer"}
        layout = "version 2"
    else:
        there = {path.name for path in _CGROUPS.iterdir()} if _CGROUPS.is_dir() else set()
        layout = "version 1 or hybrid"
    lacking = [name for name in CONTROLLERS if name not in there]
    writable = os.access(_CGROUPS / ("" if layout == "version 2" else "memory"), os.W_OK)
    found = f"{layout}{', lacks ' + ', '.join(lacking) if lacking else ''}{'' if writable else ', not writable'}"
    return Finding(
        "control groups",
        not lacking and writable,
        found,
        "mount the controllers writable below /sys/fs/cgroup; a container must be privileged",
    )


def _room(name: str, folder: Path, needed: int, remedy: str) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    found = f"{free / GIGABYTE:.1f} GB free at {folder}, {needed / GIGABYTE:.1f} GB needed"
    return Finding(name, free >= needed, found, remedy)


def _setup_bytes() -> int:
    """Set-up needs room only for what it still has to make."""
    return 0 if all(finding.ok for finding in _made()) else SETUP_BYTES


def _memory() -> Finding:
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    found = f"{free / GIGABYTE:.1f} GB available, {MEMORY_BYTES / GIGABYTE:.1f} GB needed"
    return Finding("memory", free >= MEMORY_BYTES, found, "end something else, or use `--topology single`")


def _made() -> Iterator[Finding]:
    looks: dict[str, Callable[[], str]] = {
        program.title: lambda program=program: f"{(tool := toolchain.find(program)).version} at {tool.path}"  # type: ignore[misc]
        for program in toolchain.PROGRAMS
    }
    looks["machine image"] = lambda: str(images.find())
    for name, look in looks.items():
        try:
            yield Finding(name, ok=True, found=look())
        except ToolMissing:
            yield Finding(name, ok=False, found="not there yet", remedy=f"run `{SETUP_COMMAND}`")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
