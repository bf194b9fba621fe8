"""A connection that another host carries, as to a machine behind a jump host (`ssh -W`)."""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import subprocess
import time

from model.topology import Address
from probes.outcomes import Reached

ENDS_SECONDS = 2
SAID = (
    (r"Connection refused", Reached.REFUSED),
    (r"No route to host|Network is unreachable", Reached.UNREACHABLE),
    (r"timed out", Reached.SILENT),
)
"""What ssh(1) says that carries, and what it means for the connection."""


class NotCarried(Exception):
    """The connection did not come about, or nothing was said on it."""

    def __init__(self, reached: Reached, detail: str) -> None:
        """Keep how far it came, and the carrier's words."""
        super().__init__(detail)
        self.reached, self.detail = reached, detail


class CarriedLink(socket.socket):
    """Our end of the connection; closing it ends the carrier."""

    carrier: subprocess.Popen[bytes]

    def close(self) -> None:
        """Close, and leave no process."""
        super().close()
        end(self.carrier)


def end(carrier: subprocess.Popen[bytes]) -> None:
    """End a carrier, whatever it does."""
    if carrier.poll() is None:
        carrier.terminate()
        try:
            carrier.wait(ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            carrier.kill()
            carrier.wait()
    if carrier.stderr is not None:
        carrier.stderr.close()


def open_carried(address: Address, ends: float) -> CarriedLink:
    """Open a connection to a server that speaks first, and wait until it does.

    Args:
        address: With `through`: the command that connects its standard streams with the place.
        ends: Monotonic seconds.

    Raises:
        NotCarried: It was refused, ended before anything was said, or nothing was said in time.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        end_of_it = theirs.fileno()
        carrier = subprocess.Popen(address.through, stdin=end_of_it, stdout=end_of_it, stderr=subprocess.PIPE, start_new_session=True)
    link = CarriedLink(fileno=ours.detach())
    link.carrier = carrier
    try:
        _await_words(link, ends)
    except BaseException:
        link.close()
        raise
    return link


def _await_words(link: CarriedLink, ends: float) -> None:
    with selectors.DefaultSelector() as waiting:
        waiting.register(link, selectors.EVENT_READ)
        if not waiting.select(max(ends - time.monotonic(), 0.001)):
            raise NotCarried(Reached.SILENT, "nothing was said on the connection that the jump host carries")
    if not link.recv(1, socket.MSG_PEEK):
        raise NotCarried(*_meaning(link.carrier))


def _meaning(carrier: subprocess.Popen[bytes]) -> tuple[Reached, str]:
    """Why the carrier ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        carrier.wait(ENDS_SECONDS)
    said = (carrier.stderr.read() if carrier.poll() is not None and carrier.stderr else b"").decode(errors="replace").strip()
    for pattern, reached in SAID:
        if re.search(pattern, said):
            return reached, said
    return Reached.RESET, said or "closed before anything was said"
