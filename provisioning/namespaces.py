"""Network namespaces of this host, as setns(2) has them."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from model.errors import LabUnavailable

T = TypeVar("T")
NAMESPACES = Path("/run/netns")
"""Where ip-netns(8) keeps those that have a name."""

OWN = "/proc/thread-self/ns/net"
CLONE_NEWNET = 0x40000000


def enter_namespace(descriptor: int) -> None:
    """Move the calling thread into the network namespace that an open file stands for (`os.setns` exists from 3.12 on)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        msg = f"cannot enter the lab's network: {os.strerror(number)}"
        raise LabUnavailable(msg)


def own_network() -> int:
    """Open the network namespace of the calling thread; the caller closes it."""
    return os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)


def in_network(descriptor: int, work: Callable[[], T]) -> T:
    """Do something in a network namespace; the calling thread stays where it is.

    Args:
        descriptor: Open file of the namespace.
        work: What to do; in another thread where this one is elsewhere.

    Returns:
        What it returns; what it raises is raised here.
    """
    here, there = Path(OWN).stat(), os.fstat(descriptor)
    if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
        return work()
    result: list[T] = []
    failure: list[BaseException] = []

    def elsewhere() -> None:
        try:
            enter_namespace(descriptor)
            result.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            failure.append(error)

    thread = threading.Thread(target=elsewhere, name="elsewhere")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]
