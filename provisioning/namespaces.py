"""Network namespaces of this host, as setns(2) has them."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from model.errors import LabUnavailable

NAMESPACES = Path("/run/netns")
"""Where ip-netns(8) keeps those that have a name."""

CLONE_NEWNET = 0x40000000


def enter_namespace(descriptor: int) -> None:
    """Move the calling thread into the network namespace that an open file stands for (`os.setns` exists from 3.12 on)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        msg = f"cannot enter the lab's network: {os.strerror(number)}"
        raise LabUnavailable(msg)
