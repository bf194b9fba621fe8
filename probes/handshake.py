"""The steps towards an SSH session, each with its own way to fail: TCP, banner, keys, authentication."""

from __future__ import annotations

import socket
import time

import paramiko

from model.topology import Address
from probes.carried import NotCarried, open_carried
from probes.outcomes import Reached

KEEPALIVE = {socket.TCP_KEEPIDLE: 5, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}
"""A peer that fell silent ends the session after 20 s, as a pipeline's `ServerAliveInterval=5` would."""


class HandshakeFailed(Exception):
    """A step towards the session failed in a way that users see; `probes.ssh` turns it into an outcome."""

    def __init__(self, reached: Reached, detail: str, host_key: str = "") -> None:
        """Keep how far it came, the client's words, and the host key if one was offered."""
        super().__init__(detail)
        self.reached, self.detail, self.host_key = reached, detail, host_key


def _left(ends: float) -> float:
    return max(ends - time.monotonic(), 0.001)


def open_link(address: Address, ends: float) -> socket.socket:
    """Open a TCP connection before the monotonic time `ends`; where another host carries it, to a server that speaks first."""
    if address.through:
        try:
            return open_carried(address, ends)
        except NotCarried as error:
            raise HandshakeFailed(error.reached, error.detail) from error
    try:
        link = socket.create_connection((address.host, address.port), timeout=_left(ends))
    except ConnectionRefusedError as error:
        raise HandshakeFailed(Reached.REFUSED, str(error)) from error
    except ConnectionResetError as error:
        raise HandshakeFailed(Reached.RESET, str(error)) from error
    except TimeoutError as error:
        raise HandshakeFailed(Reached.SILENT, "no answer to the connection request") from error
    except OSError as error:
        raise HandshakeFailed(Reached.UNREACHABLE, str(error)) from error
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE.items():
        link.setsockopt(socket.IPPROTO_TCP, option, value)
    return link


def await_banner(link: socket.socket, ends: float) -> str:
    """Wait for the first bytes without taking them: paramiko cannot tell silence from a closed connection."""
    link.settimeout(_left(ends))
    try:
        banner = link.recv(255, socket.MSG_PEEK)
    except TimeoutError as error:
        raise HandshakeFailed(Reached.SILENT, "connected, but no SSH banner came") from error
    except OSError as error:
        raise HandshakeFailed(Reached.RESET, f"before the SSH banner: {error}") from error
    if not banner:
        raise HandshakeFailed(Reached.RESET, "closed before the SSH banner")
    return banner.decode(errors="replace").splitlines()[0]


def exchange_keys(transport: paramiko.Transport, host_keys: frozenset[str], ends: float) -> str:
    """Agree on keys and compare the host key with the pins; return the key as `type data`."""
    options = transport.get_security_options()
    pinned = {key.split()[0] for key in host_keys}
    options.key_types = sorted(options.key_types, key=lambda kind: kind not in pinned)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = _left(ends)
    try:
        transport.start_client(timeout=_left(ends))
    except (paramiko.SSHException, EOFError, OSError) as error:
        late = time.monotonic() >= ends - 0.1
        raise HandshakeFailed(Reached.SILENT if late else Reached.RESET, f"during the key exchange: {error!r}") from error
    if not transport.initial_kex_done:
        raise HandshakeFailed(Reached.SILENT, "the key exchange did not end")
    offered = transport.get_remote_server_key()
    host_key = f"{offered.get_name()} {offered.get_base64()}"
    if host_key not in host_keys:
        raise HandshakeFailed(Reached.STRANGER, "the host key that was offered is not pinned", host_key)
    return host_key


def hang_up(link: socket.socket, transport: paramiko.Transport | None) -> None:
    """Close a connection, whatever has been made of it so far.

    `Transport.close` does nothing before its thread runs (paramiko 5.1, `transport.py`), so the socket is closed as well.
    """
    if transport is not None:
        transport.close()
    link.close()


def authenticate(transport: paramiko.Transport, user: str, key: paramiko.PKey, ends: float, host_key: str) -> None:
    """Log in with one key; anything more that the server wants is *not let in*."""
    transport.auth_timeout = _left(ends)
    try:
        more = transport.auth_publickey(user, key)
    except (paramiko.SSHException, EOFError, OSError) as error:
        if time.monotonic() >= ends - 0.1:
            raise HandshakeFailed(Reached.SILENT, "the authentication did not end", host_key) from error
        refused = isinstance(error, paramiko.AuthenticationException) and transport.is_active()
        raise HandshakeFailed(Reached.NOT_LET_IN if refused else Reached.RESET, f"during authentication: {error}", host_key) from error
    if more:
        raise HandshakeFailed(Reached.NOT_LET_IN, f"the key alone is not enough, also wanted: {', '.join(more)}", host_key)
