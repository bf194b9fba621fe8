"""Whose lab it is: a lock held by the run that lives, or the mark of a lab that somebody keeps."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from model.errors import BadInput
from provisioning import places

LOCK = "owner.lock"
KEPT = "kept"
WHAT = "what"
REGISTRY_SECONDS = 60


class Ownership:
    """A claim on a lab's folder; it ends with the process that holds it, however that ends."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        """Wrap a lock that is held; use `claim`."""
        self.folder, self._descriptor = folder, descriptor

    @classmethod
    def claim(cls, folder: Path, what: str = "") -> Ownership:
        """Make a lab's folder and own it.

        Args:
            folder: Of the lab.
            what: What it is, in words, where it is no lab that can be entered.

        Raises:
            BadInput: A lab of that name is there.
        """
        with registry():
            try:
                folder.mkdir(parents=True)
            except FileExistsError as error:
                state = "is up" if is_owned(folder) or is_kept(folder) else "was left by a run that died (`python -m provisioning sweep`)"
                msg = f"a lab of the name {folder.name!r} {state}; take another name, or `python -m provisioning down {folder.name}`"
                raise BadInput(msg) from error
            descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if what:
                (folder / WHAT).write_text(what)
        return cls(folder, descriptor)

    def release(self, *, keep: bool) -> None:
        """Let go of the lab; with `keep`, mark it as one that somebody wants to enter later."""
        if keep:
            (self.folder / KEPT).touch()
        os.close(self._descriptor)


@contextmanager
def registry() -> Iterator[None]:
    """Keep others from adding or sweeping labs meanwhile."""
    places.labs().mkdir(parents=True, exist_ok=True)
    with FileLock(places.labs().with_suffix(".lock"), timeout=REGISTRY_SECONDS):
        yield


def is_kept(folder: Path) -> bool:
    """Whether the lab was made by `up` or kept after a run."""
    return (folder / KEPT).exists()


def what_is(folder: Path) -> str:
    """What it is, in words; empty for a lab."""
    there = folder / WHAT
    return there.read_text() if there.exists() else ""


def is_owned(folder: Path) -> bool:
    """Whether a living process owns the lab."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not take one another for the owner
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
