"""Which suite ran: its version, its commit, its Python."""

from __future__ import annotations

import platform
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from model.secrets import SECRETS
from model.story import SuiteFacts

GIT_SECONDS = 5


def suite_facts(root: Path, command: Sequence[str] = ()) -> SuiteFacts:
    """Look at the checkout.

    Args:
        root: The project's folder.
        command: What was typed after `pytest`.

    Returns:
        What could be had; the rest is empty.
    """
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return SuiteFacts(
        version=_version(root),
        commit=_git(root, "rev-parse", "HEAD"),
        modified=bool(changes),
        python=platform.python_version(),
        host=f"{_system()}, {platform.machine()}",
        command=tuple(SECRETS.mask(part) for part in command),
    )


def _version(root: Path) -> str:
    try:
        return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return ""


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _git(root: Path, *arguments: str) -> str:
    """What git says; nothing where the folder is no checkout of its own, or there is no git."""
    if not (root / ".git").exists():
        return ""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=GIT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
