"""Each step towards a session has its own way to fail, and is told apart from the others."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import cast

import paramiko
import pytest

from model.topology import Address
from probes import handshake
from probes.handshake import HandshakeFailed, authenticate, exchange_keys, open_link
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


class Scripted:
    """A transport that does what a test says."""

    def __init__(self, error: Exception | None = None, more: tuple[str, ...] = (), *, active: bool = True) -> None:
        """Plan."""
        self.error, self.more, self.active = error, more, active
        self.options = SimpleNamespace(key_types=("ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"))

    def get_security_options(self) -> SimpleNamespace:
        return self.options

    def start_client(self, timeout: float) -> None:
        assert timeout > 0
        raise EOFError

    def auth_publickey(self, user: str, key: object) -> tuple[str, ...]:
        assert (user, key) == ("pipeline", KEY)
        if self.error is not None:
            raise self.error
        return self.more

    def is_active(self) -> bool:
        return self.active


KEY = cast("paramiko.PKey", object())


def test_a_server_is_asked_for_the_kind_of_key_that_is_pinned_first() -> None:
    scripted = Scripted()
    with pytest.raises(HandshakeFailed, match="during the key exchange: EOFError"):
        exchange_keys(cast("paramiko.Transport", scripted), frozenset({"ssh-ed25519 AAAA"}), time.monotonic() + SOON)
    assert scripted.options.key_types == ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"]


@pytest.mark.parametrize(
    ("scripted", "left", "reached", "detail"),
    [
        (Scripted(paramiko.AuthenticationException("no")), 9.0, Reached.NOT_LET_IN, "during authentication: no"),
        (Scripted(paramiko.AuthenticationException("no"), active=False), 9.0, Reached.RESET, "during authentication: no"),
        (Scripted(paramiko.SSHException("cut")), 9.0, Reached.RESET, "during authentication: cut"),
        (Scripted(EOFError("cut")), 9.0, Reached.RESET, "during authentication: cut"),
        (Scripted(paramiko.AuthenticationException("timeout")), 0.0, Reached.SILENT, "the authentication did not end"),
        (Scripted(more=("password", "totp")), 9.0, Reached.NOT_LET_IN, "the key alone is not enough, also wanted: password, totp"),
    ],
)
def test_an_authentication_that_fails(scripted: Scripted, left: float, reached: Reached, detail: str) -> None:
    with pytest.raises(HandshakeFailed) as failed:
        authenticate(cast("paramiko.Transport", scripted), "pipeline", KEY, time.monotonic() + left, "a key")
    assert (failed.value.reached, failed.value.detail, failed.value.host_key) == (reached, detail, "a key")


def test_who_is_let_in_is_told_nothing() -> None:
    authenticate(cast("paramiko.Transport", Scripted()), "pipeline", KEY, time.monotonic() + 9, "a key")
