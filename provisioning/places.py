"""Where the project keeps what it makes on a host, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = "tofu-ha-acceptance"


def cache() -> Path:
    """Programs and images: `$XDG_CACHE_HOME` or `~/.cache`, below the project's name. Safe to delete at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / PROJECT


def labs() -> Path:
    """Running and kept labs: one folder each. On disk, as state stores want a file system that can sync."""
    return Path("/var/lib") / PROJECT / "labs"


def clusters() -> Path:
    """Labs on clusters that were made from here: one folder each, with OpenTofu's state. Nobody else knows what was made; keep it."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(base) / PROJECT / "proxmox"
