"""What a peer gets who connects to a port, whatever serves there."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

from model.topology import Address
from probes.handshake import HandshakeFailed, open_link
from probes.outcomes import Reached

GREET_WITHIN = timedelta(seconds=1)
SPEAKS_FIRST_SECONDS = 0.2
"""Who has a banner sends it at once; everybody else is asked after that."""

QUESTION = b"GET / HTTP/1.0\r\n\r\n"
CLOSED_PORT = 1
"""tcpmux (RFC 1078): nobody serves it, so that the kernel itself answers, at once and without limit."""

FIRST_REPEAT_SECONDS = 1.0
"""A connection request that was lost is repeated after this (RFC 6298, section 2)."""


@dataclass(frozen=True)
class Greeting:
    """What became of a connection.

    Attributes:
        reached: How far it came.
        shook_hands: Whether the connection was established; a frozen process's kernel still does that.
    """

    reached: Reached
    shook_hands: bool = False

    @property
    def answered(self) -> bool:
        """Whether anything was said."""
        return self.reached is Reached.ANSWERED

    def __str__(self) -> str:
        """In words."""
        return f"{self.reached} after the handshake" if self.shook_hands and not self.answered else str(self.reached)


def greet(address: Address, within: timedelta = GREET_WITHIN) -> Greeting:
    """Connect, wait for a banner, and where none comes ask as a browser does.

    Args:
        address: Where.
        within: Deadline for all of it.

    Raises:
        AbilityMissing: The place is reached through another host only.
    """
    ends = time.monotonic() + within.total_seconds()
    try:
        link = open_link(address.require_direct(), ends)
    except HandshakeFailed as failed:
        return Greeting(failed.reached)
    with link:
        try:
            return Greeting(Reached.ANSWERED if _first_byte(link, ends) else Reached.RESET, shook_hands=True)
        except TimeoutError:
            return Greeting(Reached.SILENT, shook_hands=True)
        except OSError:
            return Greeting(Reached.RESET, shook_hands=True)


def _first_byte(link: socket.socket, ends: float) -> bytes:
    link.settimeout(SPEAKS_FIRST_SECONDS)
    try:
        return link.recv(1)
    except TimeoutError:
        link.sendall(QUESTION)
    link.settimeout(max(ends - time.monotonic(), 0.001))
    return link.recv(1)


def lost_requests(host: str, count: int) -> int:
    """Ask a closed port for so many connections at once, and count those that nobody refused before they would be repeated.

    Args:
        host: A machine that answers, be it with refusals.
        count: How many to send.
    """
    with ExitStack() as opened, selectors.DefaultSelector() as waiting:
        for _ in range(count):
            link = opened.enter_context(socket.socket())
            link.setblocking(False)  # noqa: FBT003 - the standard library's signature
            link.connect_ex((host, CLOSED_PORT))
            waiting.register(link, selectors.EVENT_WRITE)
        ends = time.monotonic() + FIRST_REPEAT_SECONDS * 0.8
        while waiting.get_map() and (left := ends - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                waiting.unregister(key.fileobj)
        return len(waiting.get_map())
