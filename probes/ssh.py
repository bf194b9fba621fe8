"""Login as users have it: paramiko, pinned host keys, wall-clock deadlines, a lost session told from a result.

paramiko knows no host certificates; it pins the plain keys that runners offer as well. What OpenSSH sees is in
`probes.openssh`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

import paramiko

from model.errors import LabUnavailable
from model.lab import Lab, Machine
from model.topology import Address
from probes.handshake import HandshakeFailed, authenticate, await_banner, exchange_keys, hang_up, open_link
from probes.outcomes import COMMAND_WITHIN, CONNECT_WITHIN, EndedCommand, Reached, RunningCommand, SshOutcome
from probes.ssh_command import SshCommand


@dataclass(frozen=True)
class Login:
    """Where and as whom to log in, and who may answer.

    Attributes:
        address: Where to connect to.
        user: The pipeline's user.
        private_key: Its key file.
        host_keys: Acceptable host keys, each `ssh-ed25519 AAAA…`; anybody else is a stranger.
    """

    address: Address
    user: str
    private_key: Path
    host_keys: frozenset[str] = field(repr=False)

    def start(self, command: str, *, stdin: bytes | None = None, connect_within: timedelta = CONNECT_WITHIN) -> RunningCommand:
        """Open a session and start a command in it; see `start`."""
        return start(self, command, stdin=stdin, connect_within=connect_within)


@dataclass
class Session:
    """An open session of a user who was let in; close it, or use it as a context manager.

    Attributes:
        login: Where and as whom.
        transport: paramiko's side of it.
        host_key: Who answered.
        connect_duration: Until the user was let in.
    """

    login: Login
    transport: paramiko.Transport
    host_key: str
    connect_duration: timedelta

    def start(self, command: str, stdin: bytes | None = None) -> RunningCommand:
        """Start a command in this session; its end closes the session."""
        return SshCommand(self.transport, command, stdin, self.host_key, self.connect_duration, str(self.login.address))

    @property
    def alive(self) -> bool:
        """Whether the session is still there, as far as the client knows."""
        return self.transport.is_active()

    def close(self) -> None:
        """End the session."""
        self.transport.close()

    def __enter__(self) -> Self:
        """Nothing to do: the session is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the session."""
        self.close()


def connect(login: Login, within: timedelta = CONNECT_WITHIN) -> Session | SshOutcome:
    """Log in.

    Args:
        login: Where, as whom, and who may answer.
        within: Deadline for all of it: TCP, banner, key exchange, authentication.

    Returns:
        An open session, or how far it came.

    Raises:
        LabUnavailable: The private key cannot be read.
    """
    try:
        key = paramiko.PKey.from_path(login.private_key)
    except (OSError, ValueError, paramiko.SSHException) as error:
        msg = f"the private key {login.private_key} of {login.user} cannot be read: {error}"
        raise LabUnavailable(msg) from error
    started = time.monotonic()
    ends = started + within.total_seconds()
    try:
        link = open_link(login.address, ends)
    except HandshakeFailed as failed:
        return _not_connected(failed, started)
    transport: paramiko.Transport | None = None
    try:
        await_banner(link, ends)
        transport = paramiko.Transport(link)
        host_key = exchange_keys(transport, login.host_keys, ends)
        authenticate(transport, login.user, key, ends, host_key)
    except HandshakeFailed as failed:
        hang_up(link, transport)
        return _not_connected(failed, started)
    except BaseException:
        hang_up(link, transport)
        raise
    return Session(login, transport, host_key, timedelta(seconds=time.monotonic() - started))


def knock(address: Address, within: timedelta = CONNECT_WITHIN) -> SshOutcome:
    """Connect and wait for an SSH banner, nothing more.

    Args:
        address: Where.
        within: Deadline for TCP and banner together.

    Returns:
        `ANSWERED` with the banner in `detail`, or how far it came.
    """
    started = time.monotonic()
    ends = started + within.total_seconds()
    try:
        with open_link(address, ends) as link:
            banner = await_banner(link, ends)
    except HandshakeFailed as failed:
        return _not_connected(failed, started)
    return SshOutcome(Reached.ANSWERED, connect_duration=timedelta(seconds=time.monotonic() - started), detail=banner)


def start(login: Login, command: str, *, stdin: bytes | None = None, connect_within: timedelta = CONNECT_WITHIN) -> RunningCommand:
    """Log in and start a command; it runs while the caller goes on.

    Args:
        login: Where, as whom, and who may answer.
        command: For the user's shell.
        stdin: Sent to the command, then closed; closed at once when None.
        connect_within: Deadline of the login.

    Returns:
        The running command; one that has already ended when the login failed.

    Raises:
        LabUnavailable: The private key cannot be read.
    """
    session = connect(login, connect_within)
    return EndedCommand(session) if isinstance(session, SshOutcome) else session.start(command, stdin)


def run(
    login: Login,
    command: str,
    *,
    stdin: bytes | None = None,
    deadline: timedelta = COMMAND_WITHIN,
    connect_within: timedelta = CONNECT_WITHIN,
) -> SshOutcome:
    """Log in, run a command, close the session.

    Args:
        login: Where, as whom, and who may answer.
        command: For the user's shell.
        stdin: Sent to the command, then closed.
        deadline: For all of it; `LATE` when the command has not ended by then.
        connect_within: Deadline of the login, at most `deadline`.

    Returns:
        What the session ended with.

    Raises:
        LabUnavailable: The private key cannot be read.
    """
    ends = time.monotonic() + deadline.total_seconds()
    with start(login, command, stdin=stdin, connect_within=min(connect_within, deadline)) as running:
        return running.finish(timedelta(seconds=ends - time.monotonic()))


def fleet_login(lab: Lab) -> Login:
    """The runner endpoint; every runner of the fleet may answer."""
    fleet = lab.fleet
    return Login(fleet.endpoint, fleet.user, fleet.private_key, frozenset(map(plain_key, fleet.published.plain_keys.values())))


def runner_login(lab: Lab, machine: Machine) -> Login:
    """One runner directly; only that runner may answer, and nobody where no key of it is known because it is silent.

    Raises:
        LabUnavailable: It answers, and the lab publishes no key of it.
    """
    published = lab.fleet.published.plain_keys.get(machine.name)
    if published is None and knock(machine.ssh).reached is Reached.ANSWERED:
        msg = f"the lab publishes no host key of {machine.name}"
        raise LabUnavailable(msg)
    pins = frozenset() if published is None else frozenset({plain_key(published)})
    return Login(machine.ssh, lab.fleet.user, lab.fleet.private_key, pins)


def who_answered(lab: Lab, outcome: SshOutcome | Session) -> str | None:
    """Name the runner whose key was offered (paramiko clients only); None for a stranger or nobody."""
    keys = {plain_key(key): name for name, key in lab.fleet.published.plain_keys.items()}
    return keys.get(outcome.host_key)


def plain_key(line: str) -> str:
    """Type and data of a public key line, without its comment."""
    return " ".join(line.split()[:2])


def _not_connected(failed: HandshakeFailed, started: float) -> SshOutcome:
    return SshOutcome(failed.reached, None, failed.host_key, timedelta(seconds=time.monotonic() - started), failed.detail)
