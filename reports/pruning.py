"""Old runs make room: the newest ones stay, and so does every one that is being written, or that owes something to a lab."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from pathlib import Path

from model.journal import owes

RUN_ID = re.compile(r"\d{8}-\d{6}-[a-z]{4}")


class Claim:
    """Holds a run's folder while it is written; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Claim it.

        Raises:
            BlockingIOError: Somebody else writes it.
            OSError: There is no such folder.
        """
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let go."""
        os.close(self._descriptor)


def prune(runs: Path, keep: int) -> list[str]:
    """Remove old runs.

    Args:
        runs: The folder that holds one folder per run; whatever else lies in it is left alone.
        keep: How many of the newest stay, at least one.

    Returns:
        Ids of those that were removed.
    """
    found = sorted((path for path in runs.iterdir() if path.is_dir() and RUN_ID.fullmatch(path.name)), reverse=True)
    removed = []
    for folder in found[max(keep, 1) :]:
        if owes(folder):
            continue
        try:
            claim = Claim(folder)
        except OSError:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        claim.release()
        removed.append(folder.name)
    return removed
