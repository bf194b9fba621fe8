"""Stand-ins on the loopback: an SSH server in threads, a silent socket, one that resets."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from model.topology import Address
from probes.ssh import Login

DATA = Path(__file__).parent / "data"


class Shell(paramiko.ServerInterface):
    """Lets one key in and runs commands with `sh`, in an environment of the test's choice."""

    def __init__(self, allowed: paramiko.PKey, environment: dict[str, str]) -> None:
        """Keep who may come in, and where commands run."""
        self.allowed, self.environment = allowed, environment

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if key == self.allowed and username == "pipeline" else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self.serve, args=(channel, command.decode()), daemon=True).start()
        return True

    def serve(self, channel: paramiko.Channel, command: str) -> None:
        if command in {"mute", "vanish"}:
            while channel.recv(1024):
                pass  # until the client has said everything, so that the end hits a running command
        if command == "mute":
            channel.close()
        elif command == "vanish":
            channel.sendall(b"half an ans")
            channel.get_transport().close()
        else:
            self.execute(channel, command)

    def execute(self, channel: paramiko.Channel, command: str) -> None:
        process = subprocess.Popen(
            ["sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment, bufsize=0
        )
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None

        heard = threading.Event()

        def feed() -> None:
            with suppress(OSError), stdin:
                chunk = channel.recv(65536)
                heard.set()
                while chunk:
                    stdin.write(chunk)
                    chunk = channel.recv(65536)

        def drain(stream: IO[bytes], send: Callable[[bytes], object]) -> None:
            with suppress(OSError), stream:
                while chunk := stream.read(65536):
                    send(chunk)

        threading.Thread(target=feed, daemon=True).start()
        drains = [
            threading.Thread(target=drain, args=(stdout, channel.sendall), daemon=True),
            threading.Thread(target=drain, args=(stderr, channel.sendall_stderr), daemon=True),
        ]
        for thread in drains:
            thread.start()
        for thread in drains:
            thread.join()
        status = process.wait()
        heard.wait(5)  # the client speaks once it was told that the command runs; an end that overtakes that reply is no real server's
        with suppress(EOFError, OSError):  # the client may be gone by now
            if not channel.closed:
                channel.send_exit_status(status)
                channel.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("user", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "comment", "-f", str(folder / name)], check=True)
    return folder / "user", folder / "host"


@pytest.fixture
def runner_environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "TMPDIR": str(tmp_path)}


@pytest.fixture
def login(keys: tuple[Path, Path], runner_environment: dict[str, str]) -> Iterator[Login]:
    """A login at an SSH server that runs real commands."""
    user, host = keys
    host_key, allowed = paramiko.Ed25519Key(filename=str(host)), paramiko.Ed25519Key(filename=str(user))
    transports: list[paramiko.Transport] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                transport = paramiko.Transport(connection)
                transport.add_server_key(host_key)
                transports.append(transport)
                try:
                    transport.start_server(server=Shell(allowed, runner_environment), event=threading.Event())
                except (paramiko.SSHException, EOFError):
                    transport.close()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        pin = f"{host_key.get_name()} {host_key.get_base64()}"
        yield Login(Address("127.0.0.1", listener.getsockname()[1]), "pipeline", user, frozenset({pin}))
        listener.shutdown(socket.SHUT_RDWR)
    acceptor.join(2)
    for transport in transports:
        transport.close()


@pytest.fixture
def silent() -> Iterator[Address]:
    """Accepts connections, as a frozen process does, and never says anything."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield Address("127.0.0.1", listener.getsockname()[1])


@pytest.fixture
def refused() -> Address:
    """Nobody listens here."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    return Address("127.0.0.1", port)


@pytest.fixture
def resetting() -> Iterator[Address]:
    """Accepts a connection and resets it at once, as a balancer without servers does."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def reset() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

        thread = threading.Thread(target=reset, daemon=True)
        thread.start()
        yield Address("127.0.0.1", listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(2)


@pytest.fixture
def captured() -> Callable[[str], str]:
    """Reads what real programs said."""
    return lambda name: (DATA / name).read_text(encoding="utf-8")
