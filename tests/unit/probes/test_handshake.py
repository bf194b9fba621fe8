"""Each step towards a session has its own way to fail, and is told apart from the others."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import paramiko
import pytest

from model.topology import Address
from probes import handshake
from probes.handshake import HandshakeFailed, exchange_keys, open_link
from probes.outcomes import Reached

PLACE = Address("127.0.0.1", 9)
SOON = 0.6


@pytest.mark.parametrize(
    ("error", "reached", "detail"),
    [
        (ConnectionRefusedError(111, "Connection refused"), Reached.REFUSED, "[Errno 111] Connection refused"),
        (ConnectionResetError(104, "Connection reset by peer"), Reached.RESET, "[Errno 104] Connection reset by peer"),
        (TimeoutError(), Reached.SILENT, "no answer to the connection request"),
        (OSError(113, "No route to host"), Reached.UNREACHABLE, "[Errno 113] No route to host"),
    ],
)
def test_a_connection_that_does_not_come_about(monkeypatch: pytest.MonkeyPatch, error: OSError, reached: Reached, detail: str) -> None:
    def fail(place: tuple[str, int], timeout: float) -> socket.socket:
        assert place == (PLACE.host, PLACE.port)
        assert 0 < timeout <= SOON
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(HandshakeFailed) as failed:
        open_link(PLACE, time.monotonic() + SOON)
    assert (failed.value.reached, failed.value.detail, failed.value.host_key) == (reached, detail, "")


def test_a_connection_that_another_host_carries_fails_in_the_same_way() -> None:
    with pytest.raises(HandshakeFailed) as failed:
        open_link(Address("10.1.0.103", 22, through=("sh", "-c", "echo 'No route to host' >&2; exit 255")), time.monotonic() + 10)
    assert (failed.value.reached, failed.value.detail) == (Reached.UNREACHABLE, "No route to host")


def test_a_peer_that_falls_silent_ends_the_session(silent: Address) -> None:
    with closing(open_link(silent, time.monotonic() + SOON)) as link:
        assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        said = [link.getsockopt(socket.IPPROTO_TCP, each) for each in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)]
        assert said == [5, 5, 3]


@contextmanager
def begun(*, goes_on: bool) -> Iterator[paramiko.Transport]:
    """A transport to a server that says a banner, and then goes on saying nothing, or hangs up."""
    ours, theirs = socket.socketpair()
    transport = paramiko.Transport(ours)
    theirs.sendall(b"SSH-2.0-made-up\r\n")

    def hang_up() -> None:
        theirs.recv(65536)
        theirs.close()

    other = threading.Thread(target=(lambda: None) if goes_on else hang_up)
    other.start()
    try:
        yield transport
    finally:
        transport.close()
        other.join(10)
        theirs.close()
        ours.close()


@pytest.mark.parametrize(("goes_on", "reached"), [(True, Reached.SILENT), (False, Reached.RESET)])
def test_a_key_exchange_that_does_not_end(*, goes_on: bool, reached: Reached) -> None:
    within = SOON if goes_on else 30
    with begun(goes_on=goes_on) as transport, pytest.raises(HandshakeFailed) as failed:
        exchange_keys(transport, frozenset({"ssh-ed25519 AAAA"}), time.monotonic() + within)
    assert failed.value.reached is reached
    assert "key exchange" in failed.value.detail


def test_what_is_left_of_a_deadline_that_has_passed_is_next_to_nothing() -> None:
    assert handshake._left(time.monotonic() - 5) == 0.001
