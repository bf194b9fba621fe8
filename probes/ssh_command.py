"""A command in an open paramiko session: both streams drained, the end told from a loss."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import paramiko

from model.lab import CommandResult
from probes.outcomes import Reached, RunningCommand, SshOutcome

CHUNK = 64 * 1024
OPEN_WITHIN_SECONDS = 10.0
BROKEN = (OSError, EOFError, paramiko.SSHException)
"""What paramiko raises in a session that has ended, depending on where it notices."""

NO_EXIT_STATUS = -1
"""What paramiko reports when a channel closed without the server naming an exit status."""


class SshCommand(RunningCommand):
    """A command that runs in its own session.

    One thread drains each stream and one feeds standard input, so that neither side ever waits for the other.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the facts of one session
        self,
        transport: paramiko.Transport,
        command: str,
        stdin: bytes | None,
        host_key: str,
        connect_duration: timedelta,
        where: str,
    ) -> None:
        """Start the command; a session that dies meanwhile is found out in `finish`."""
        self._transport, self._command, self._where = transport, command, where
        self._host_key, self._connect_duration = host_key, connect_duration
        self._started = time.monotonic()
        self._ended_at: float | None = None
        self._stdout, self._stderr = bytearray(), bytearray()
        self._failure = ""
        self._channel: paramiko.Channel | None = None
        self._threads: list[threading.Thread] = []
        self._final: SshOutcome | None = None
        watchdog = threading.Timer(OPEN_WITHIN_SECONDS, transport.close)  # exec_command knows no timeout of its own
        watchdog.start()
        try:
            self._channel = transport.open_session(timeout=OPEN_WITHIN_SECONDS)
            self._channel.exec_command(command)
        except BROKEN as error:
            self._failure = f"the command could not be started: {error!r}"
            self._channel = None
            transport.close()
            return
        finally:
            watchdog.cancel()
        channel = self._channel
        jobs: list[Callable[[], None]] = [
            lambda: self._drain(channel.recv, self._stdout),
            lambda: self._drain(channel.recv_stderr, self._stderr),
            lambda: self._feed(channel, stdin or b""),
        ]
        self._threads = [threading.Thread(target=job, name=f"ssh {where}", daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def output_so_far(self) -> str:
        """Standard output up to now."""
        return bytes(self._stdout).decode(errors="replace")

    @property
    def ended(self) -> bool:
        """Whether the command has ended or the session is gone."""
        channel = self._channel
        if channel is None or not self._transport.is_active():
            return not any(thread.is_alive() for thread in self._threads[:2])
        return channel.exit_status_ready() and not any(thread.is_alive() for thread in self._threads[:2])

    def finish(self, within: timedelta) -> SshOutcome:
        """Wait for the end and close the session.

        Args:
            within: Deadline from now; the session is closed and the outcome `LATE` when it passes.

        Returns:
            What the session ended with. Asked again, it says the same.
        """
        if self._final is None:
            self._final = self._wait(within)
            self.close()
        return self._final

    def close(self) -> None:
        """End the session."""
        self._transport.close()
        for thread in self._threads:
            thread.join(1)

    def _wait(self, within: timedelta) -> SshOutcome:
        channel = self._channel
        if channel is None:
            return self._outcome(Reached.LOST, self._failure)
        ends = time.monotonic() + max(within.total_seconds(), 0)
        for thread in self._threads[:2]:
            thread.join(max(ends - time.monotonic(), 0))
        channel.status_event.wait(max(ends - time.monotonic(), 0))
        if not self.ended:
            return self._outcome(Reached.LATE, f"the command did not end in {within.total_seconds():g} s")
        if channel.exit_status == NO_EXIT_STATUS:
            alive = self._transport.is_active()
            return self._outcome(Reached.LOST, "the command ended without an exit status" if alive else self._why_lost())
        return self._answered(channel.exit_status)

    def _answered(self, exit_status: int) -> SshOutcome:
        took = timedelta(seconds=(self._ended_at or time.monotonic()) - self._started)
        out, err = (bytes(stream).decode(errors="replace") for stream in (self._stdout, self._stderr))
        result = CommandResult(self._command, exit_status, out, err, took, self._where)
        return SshOutcome(Reached.ANSWERED, result, self._host_key, self._connect_duration)

    def _outcome(self, reached: Reached, detail: str) -> SshOutcome:
        said = self.output_so_far() + bytes(self._stderr).decode(errors="replace")
        return SshOutcome(reached, None, self._host_key, self._connect_duration, detail, said)

    def _why_lost(self) -> str:
        error = self._transport.get_exception()
        return f"the session was lost: {error!r}" if error else "the session was closed before the command ended"

    def _drain(self, receive: Callable[[int], bytes], into: bytearray) -> None:
        try:
            while chunk := receive(CHUNK):
                into.extend(chunk)
        except BROKEN as error:
            self._failure = repr(error)
        self._ended_at = time.monotonic()

    def _feed(self, channel: paramiko.Channel, content: bytes) -> None:
        """Send standard input; a command that does not read it to the end has every right to."""
        try:
            channel.sendall(content)
            channel.shutdown_write()
        except BROKEN as error:
            self._failure = f"standard input: {error!r}"
