"""What became of a session that a user opened: one vocabulary for every client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, Self

from model.lab import CommandResult
from model.topology import Address
from model.waiting import wait_until

CONNECT_WITHIN = timedelta(seconds=10)
"""How long a client waits for an answer before it says *silent*."""

COMMAND_WITHIN = timedelta(seconds=30)
EXCERPT = 2000


class Reached(StrEnum):
    """How far a session came; only the first is what a user wants."""

    ANSWERED = "answered"
    REFUSED = "refused"
    RESET = "reset"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    STRANGER = "answered by a stranger"
    NOT_LET_IN = "not let in"
    LOST = "lost"
    LATE = "late"

    @property
    def connected(self) -> bool:
        """Whether the user was let in, whatever happened afterwards."""
        return self in (Reached.ANSWERED, Reached.LOST, Reached.LATE)


@dataclass(frozen=True)
class SshOutcome:
    """What a session ended with.

    Attributes:
        reached: How far it came.
        result: The command's exit status and streams; only when it ended by itself and said so.
        host_key: The key that was offered: `ssh-ed25519 AAAA…` from paramiko, `ssh-ed25519 SHA256:…` from OpenSSH;
            empty when there was none.
        connect_duration: Until the user was let in, or until that failed.
        detail: The client's own words about a failure.
        so_far: What the command had said before the session was lost or given up.
    """

    reached: Reached
    result: CommandResult | None = None
    host_key: str = ""
    connect_duration: timedelta = timedelta()
    detail: str = ""
    so_far: str = ""

    @property
    def ok(self) -> bool:
        """Whether the command ran and ended with 0."""
        return self.result is not None and self.result.ok

    @property
    def exit_status(self) -> int | None:
        """The command's own exit status; None when it did not end."""
        return None if self.result is None else self.result.exit_status

    @property
    def stdout(self) -> str:
        """Standard output; empty when the command did not end."""
        return "" if self.result is None else self.result.stdout

    def __str__(self) -> str:
        """One line for a message: how far, and what the client or the command said."""
        seconds = f"after {self.connect_duration.total_seconds():.1f} s"
        if self.result is not None:
            return f"{self.reached} {seconds}, exit status {self.result.exit_status}: {self.result.text[-EXCERPT:]}"
        said = "; ".join(part for part in (self.detail, self.so_far[-EXCERPT:]) if part)
        return f"{self.reached} {seconds}: {said}" if said else f"{self.reached} {seconds}"


class _NotYet(Exception):
    """The awaited text did not come."""


class RunningCommand(ABC):
    """A command whose session is open; close it, or use it as a context manager."""

    @abstractmethod
    def output_so_far(self) -> str:
        """Standard output up to now."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether the session has ended, in whatever way."""

    @abstractmethod
    def finish(self, within: timedelta) -> SshOutcome:
        """Wait for the end and close the session; `LATE` when it does not end in time."""

    @abstractmethod
    def close(self) -> None:
        """End the session at once, from the client's side."""

    def wait_for_output(self, text: str, within: timedelta) -> bool:
        """Wait until the command has printed something.

        Args:
            text: What is awaited on standard output.
            within: Deadline.

        Returns:
            Whether it came; False at once when the session ends without it.
        """

        def look() -> tuple[bool, bool]:
            ended = self.ended
            return text in self.output_so_far(), ended

        try:
            seen = wait_until(
                look,
                any,
                what=f"the command prints {text!r}",
                within=within,
                every=timedelta(milliseconds=50),
                error=_NotYet,
            )
        except _NotYet:
            return False
        return seen.value[0]

    def __enter__(self) -> Self:
        """Nothing to do: the session is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the session."""
        self.close()


class EndedCommand(RunningCommand):
    """A command that never ran, as its session was not to be had."""

    def __init__(self, outcome: SshOutcome) -> None:
        """Keep how far the session came."""
        self.outcome = outcome

    def output_so_far(self) -> str:
        """Nothing was printed."""
        return ""

    @property
    def ended(self) -> bool:
        """It never began."""
        return True

    def finish(self, within: timedelta) -> SshOutcome:  # noqa: ARG002 - nothing to wait for
        """How far the session came."""
        return self.outcome

    def close(self) -> None:
        """Nothing is open."""


class Channel(Protocol):
    """A way in for a pipeline's user: `probes.ssh.Login` or `probes.openssh.PipelineClient`."""

    @property
    def address(self) -> Address:
        """Where it connects to."""
        ...

    def start(self, command: str, *, stdin: bytes | None = None, connect_within: timedelta = CONNECT_WITHIN) -> RunningCommand:
        """Open a session and start a command in it."""
        ...
