"""A client that opens a new connection to the fleet again and again, and knows who answered."""

from __future__ import annotations

import math
import time
from datetime import timedelta

import paramiko

from model.history import Begun, Outcome
from model.lab import Lab
from probes import ssh
from probes.clients.paced import LONGEST, MOST, PacedClient
from probes.handshake import HandshakeFailed, await_banner, exchange_keys, hang_up, open_link
from probes.outcomes import COMMAND_WITHIN, CONNECT_WITHIN, Reached, SshOutcome

EVERY = timedelta(milliseconds=200)
AT_ONCE = 60
COMMAND = "hostname"


def greet(login: ssh.Login, within: timedelta = CONNECT_WITHIN) -> SshOutcome:
    """Connect up to the end of the key exchange: who answers has then proved its host key, nobody is logged in.

    The server signs the exchange with its host key (RFC 4253, section 8), so a banner alone would not tell who it is.

    Args:
        login: Where, and who may answer; user and key are not used.
        within: Deadline for TCP, banner and key exchange together.

    Returns:
        `ANSWERED` with the host key, or how far it came.
    """
    started = time.monotonic()
    ends = started + within.total_seconds()
    try:
        link = open_link(login.address, ends)
    except HandshakeFailed as failed:
        return _outcome(failed.reached, started, failed.host_key, failed.detail)
    transport: paramiko.Transport | None = None
    try:
        await_banner(link, ends)
        transport = paramiko.Transport(link)
        return _outcome(Reached.ANSWERED, started, exchange_keys(transport, login.host_keys, ends))
    except HandshakeFailed as failed:
        return _outcome(failed.reached, started, failed.host_key, failed.detail)
    finally:
        hang_up(link, transport)


def _outcome(reached: Reached, started: float, host_key: str = "", detail: str = "") -> SshOutcome:
    return SshOutcome(reached, None, host_key, timedelta(seconds=time.monotonic() - started), detail)


class FleetClient(PacedClient):
    """Opens connections through the runner endpoint at a fixed rate.

    Each is an operation `connection` with the label `reached` (a word of `probes.outcomes.Reached`) and, when the user
    was let in, `connect` (how long that took); `who` is the runner whose host key was offered.

    Attributes:
        lab: Where.
        log_in: Whether each connection logs in and runs `hostname`; else it ends after the key exchange.
    """

    def __init__(  # noqa: PLR0913 - each argument is one sentence of the contract
        self,
        lab: Lab,
        every: timedelta = EVERY,
        *,
        log_in: bool = True,
        connect_within: timedelta = CONNECT_WITHIN,
        most: int = MOST,
        longest: timedelta = LONGEST,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            lab: Where.
            every: Time between two beginnings.
            log_in: Run `hostname`, as a pipeline does; without it a connection costs about a third.
            connect_within: How long a connection may take to be answered before it counts as *silent*.
            most: After so many connections the client ends by itself.
            longest: After so long the client ends by itself.
        """
        needed = math.ceil(connect_within / every) + 2
        super().__init__("connections to the fleet", every, at_once=min(needed, AT_ONCE), most=most, longest=longest)
        self.lab, self.log_in, self._connect_within = lab, log_in, connect_within

    def begin(self, number: int, **labels: str) -> Begun:
        """Record the beginning of a connection."""
        return self.history.begin("connection", number=str(number), **labels)

    def work(self, begun: Begun, number: int) -> None:  # noqa: ARG002 - connections are alike
        """Open one connection, and see who answers."""
        login = ssh.fleet_login(self.lab)
        if self.log_in:
            outcome = ssh.run(login, COMMAND, deadline=COMMAND_WITHIN, connect_within=self._connect_within)
        else:
            outcome = greet(login, self._connect_within)
        answered = outcome.ok if self.log_in else outcome.reached is Reached.ANSWERED
        who = ssh.who_answered(self.lab, outcome) or ""
        connect = {"connect": f"{outcome.connect_duration.total_seconds():.3f} s"} if outcome.reached.connected else {}
        detail = "" if answered else str(outcome)
        begun.end(Outcome.OK if answered else Outcome.FAILED, who=who, detail=detail, labels={"reached": str(outcome.reached), **connect})
