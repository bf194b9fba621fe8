"""Makes the image with mmdebstrap: under a temporary name, renamed when it is whole, one at a time per host."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from model.errors import HostUnfit, ToolMissing
from provisioning.commands import CommandFailed, explain, follow, require_space
from provisioning.images.recipe import RECIPE, Recipe, find, images_folder
from provisioning.progress import Progress, Step

NEEDED_BYTES = 800_000_000
"""The root file system, and the packages while they are unpacked."""
PARTIAL = ".partial-"
PYTHON = "usr/lib/python3/dist-packages"
"""Where Python looks on Debian, whichever version it has."""
APART = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""mmdebstrap mounts into what it makes, and lives on when its parent dies; in namespaces of its own neither outlives us."""
_HANDLINGS = 2
"""A package is fetched and set up: what mmdebstrap's output shows of it."""
_STAGE = re.compile(r"^I: (?!main\(\) received)(.+?)\.*$")
_NEW = re.compile(r"(\d+) newly installed")
_HANDLED = re.compile(r"^(?:Get:\d+ \S+ \S+ \S+ (?P<fetched>\S+) \S+ \S+ \[|Setting up (?P<set_up>\S+))")


def ensure(progress: Progress | None = None, recipe: Recipe = RECIPE) -> Path:
    """Find the image, or make it: half a minute, mostly the mirror's. Needs root.

    Args:
        progress: Shows what is done.
        recipe: What it is made of.

    Returns:
        The root file system.

    Raises:
        HostUnfit: Not root, mmdebstrap is missing, or the disk is full (needed and available space are named); nothing is left behind.
        ToolMissing: The mirror could not be reached; names the step, and the command that resumes.
    """
    with contextlib.suppress(ToolMissing):
        return find(recipe)
    progress = progress or Progress()
    with _alone(progress):
        with contextlib.suppress(ToolMissing):
            return find(recipe)
        _require_host()
        require_space("the machine image", images_folder(), NEEDED_BYTES)
        partial = images_folder() / f"{PARTIAL}{os.getpid()}"
        try:
            with progress.step(
                f"making the machine image (Debian {recipe.suite}, {len(recipe.packages)} packages and what they need)"
            ) as step:
                _make(recipe, partial / "rootfs", step)
            if recipe.wheels is not None:
                with progress.step(f"adding the Python packages of {recipe.wheels.name} to it") as step:
                    _add_wheels(recipe.wheels, partial / "rootfs", step)
            partial.rename(recipe.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return recipe.rootfs


@contextlib.contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    images_folder().mkdir(parents=True, exist_ok=True)
    lock = FileLock(images_folder() / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with progress.step("waiting for another set-up on this host, which makes the machine image"):
            lock.acquire()
    try:
        for leftover in images_folder().glob(f"{PARTIAL}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        lock.release()


def _require_host() -> None:
    if os.geteuid() != 0:
        msg = "making the machine image needs root; an existing lab (--lab FILE.toml) needs neither root nor an image"
        raise HostUnfit(msg)
    if shutil.which("mmdebstrap") is None:
        msg = "mmdebstrap is not installed; `make setup` installs it"
        raise HostUnfit(msg)


def _make(recipe: Recipe, rootfs: Path, step: Step) -> None:
    rootfs.parent.mkdir()
    command = [
        *APART,
        "mmdebstrap",
        "--verbose",
        "--mode=root",
        "--format=directory",
        f"--variant={recipe.variant}",
        f"--include={','.join(recipe.packages)}",
        f'--customize-hook=sh {shlex.quote(str(recipe.hook))} "$1"',
        recipe.suite,
        str(rootfs),
    ]
    stage = "starting mmdebstrap"
    expected = 0

    def look(line: str) -> None:
        nonlocal stage, expected
        if begun := _STAGE.match(line):
            stage = begun.group(1)
            step.report(note=stage)
        elif new := _NEW.search(line):
            expected += _HANDLINGS * int(new.group(1))
            step.report(total=expected)
        elif handled := _HANDLED.match(line):
            step.report(done=step.done + 1, note=handled["fetched"] or handled["set_up"])

    env = {**os.environ, "LC_ALL": "C.UTF-8", "TMPDIR": str(rootfs.parent)}
    try:
        follow(command, look, env=env)
    except CommandFailed as failure:
        shutil.rmtree(rootfs.parent, ignore_errors=True)
        raise explain(failure, "the machine image", stage, images_folder(), NEEDED_BYTES) from failure


def _add_wheels(wheels: Path, rootfs: Path, step: Step) -> None:
    """As they are, for no version of Python in particular: that of the host need not be that of the image."""
    options = ("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--target", str(rootfs / PYTHON))
    try:
        follow([sys.executable, "-m", "pip", "install", *options, "-r", str(wheels)], lambda line: step.report(note=line))
    except CommandFailed as failure:
        raise explain(failure, "the machine image", f"installing {wheels.name}", images_folder(), NEEDED_BYTES) from failure
