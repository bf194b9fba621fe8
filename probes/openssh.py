"""The pipeline's client: the OpenSSH binary in batch mode, knowing only what the lab publishes.

ssh writes its own words to a log of its own (`-E`), so the command's streams stay unpolluted, and a command that
ends with 255 is told from ssh's own 255 by the log line `Exit status 255`.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from model.errors import ToolMissing
from model.lab import CommandResult, Lab
from model.topology import Address
from probes.outcomes import COMMAND_WITHIN, CONNECT_WITHIN, Reached, RunningCommand, SshOutcome

CHUNK = 64 * 1024
CLOSING_SECONDS = 5.0

_HOST_KEY = re.compile(r"^debug1: Server host (?:key|certificate): (\S+ SHA256:[^\s,]+)", re.MULTILINE)
_EXIT_STATUS = re.compile(r"^debug1: Exit status (-?\d+)", re.MULTILINE)
_AUTHENTICATED = re.compile(r"^Authenticated to |^debug1: Authentication succeeded", re.MULTILINE)
_CHATTER = ("debug", "OpenSSH_", "Authenticated to ", "Transferred: ", "Bytes per second: ")
_CAUSES = (
    (Reached.STRANGER, r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|no matching host key type"),
    (Reached.NOT_LET_IN, r"Permission denied \(|Too many authentication failures"),
    (Reached.REFUSED, r"Connection refused"),
    (Reached.SILENT, r"Connection timed out|banner exchange.*[Tt]imed? ?out|Operation timed out|[Tt]imeout, server"),
    (Reached.UNREACHABLE, r"No route to host|Network is unreachable|Could not resolve hostname"),
    (Reached.RESET, r"Connection reset|Connection closed by|closed by remote host|kex_exchange_identification|Broken pipe"),
)


@dataclass(frozen=True)
class PipelineClient:
    """A pipeline that connects with `ssh` and nothing but what it was told.

    Attributes:
        address: Where to connect to.
        user: The pipeline's user.
        private_key: Its key file.
        known_hosts: Content of its `known_hosts`; anybody else is a stranger.
    """

    address: Address
    user: str
    private_key: Path
    known_hosts: str = field(repr=False)

    def start(self, command: str, *, stdin: bytes | None = None, connect_within: timedelta = CONNECT_WITHIN) -> RunningCommand:
        """Open a session and start a command in it.

        Args:
            command: For the user's shell.
            stdin: Sent to the command, then closed; closed at once when None.
            connect_within: Deadline of TCP and banner (`ConnectTimeout`, whole seconds).

        Raises:
            ToolMissing: There is no `ssh` on this host.
        """
        return OpenSshCommand(self, command, stdin, connect_within)

    def run(
        self,
        command: str,
        *,
        stdin: bytes | None = None,
        deadline: timedelta = COMMAND_WITHIN,
        connect_within: timedelta = CONNECT_WITHIN,
    ) -> SshOutcome:
        """Run a command in a session of its own; `deadline` is for all of it."""
        ends = time.monotonic() + deadline.total_seconds()
        with self.start(command, stdin=stdin, connect_within=min(connect_within, deadline)) as running:
            return running.finish(timedelta(seconds=ends - time.monotonic()))

    def arguments(self, folder: Path, connect_within: timedelta) -> list[str]:
        """The command line, up to the command that is to run.

        Args:
            folder: Where `known_hosts` lies and ssh's log goes.
            connect_within: Becomes `ConnectTimeout`.

        Raises:
            ToolMissing: There is no `ssh` on this host.
        """
        program = shutil.which("ssh")
        if program is None:
            msg = "the OpenSSH client is missing; install it with: apt-get install openssh-client"
            raise ToolMissing(msg)
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(folder / "known_hosts"),
            "GlobalKnownHostsFile": "/dev/null",
            "UpdateHostKeys": "no",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "ConnectTimeout": str(max(1, round(connect_within.total_seconds()))),
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "3",
            "LogLevel": "DEBUG1",
        }
        line = [program, "-T", "-F", "/dev/null", "-E", str(folder / "log"), "-i", str(self.private_key), "-p", str(self.address.port)]
        for name, value in options.items():
            line += ["-o", f"{name}={value}"]
        return [*line, f"{self.user}@{self.address.host}"]


class OpenSshCommand(RunningCommand):
    """A command that runs in an `ssh` process."""

    def __init__(self, client: PipelineClient, command: str, stdin: bytes | None, connect_within: timedelta) -> None:
        """Start `ssh`; whether it gets through is found out in `finish`."""
        self._client, self._command = client, command
        self._folder = tempfile.TemporaryDirectory(prefix="pipeline-")
        self._final: SshOutcome | None = None
        self._ended_at: float | None = None
        self._started = time.monotonic()
        folder = Path(self._folder.name)
        self._log = folder / "log"
        (folder / "known_hosts").write_text(client.known_hosts, encoding="utf-8")
        self._stdout, self._stderr = bytearray(), bytearray()
        try:
            self._process = subprocess.Popen(
                [*client.arguments(folder, connect_within), command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except BaseException:
            self._folder.cleanup()
            raise
        self._threads = [
            threading.Thread(target=self._drain, args=(1,), name=f"ssh {client.address}", daemon=True),
            threading.Thread(target=self._drain, args=(2,), name=f"ssh {client.address}", daemon=True),
            threading.Thread(target=self._feed, args=(stdin or b"",), name=f"ssh {client.address}", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def output_so_far(self) -> str:
        """Standard output up to now."""
        return bytes(self._stdout).decode(errors="replace")

    @property
    def ended(self) -> bool:
        """Whether `ssh` has ended and all of its output is here."""
        return self._process.poll() is not None and not any(thread.is_alive() for thread in self._threads[:2])

    def finish(self, within: timedelta) -> SshOutcome:
        """Wait for the end and close the session; asked again, it says the same.

        Args:
            within: Deadline from now; `ssh` is killed and the outcome `LATE` (`SILENT` before it was let in) when it passes.
        """
        if self._final is None:
            ends = time.monotonic() + max(within.total_seconds(), 0)
            for thread in self._threads[:2]:
                thread.join(max(ends - time.monotonic(), 0))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(max(ends - time.monotonic(), 0.01))
            self._final = self._judge(late=not self.ended, within=within)
            self.close()
        return self._final

    def close(self) -> None:
        """Kill `ssh` if it still runs, and remove its folder."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(CLOSING_SECONDS)
        for thread in self._threads:
            thread.join(CLOSING_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._folder.cleanup()

    def _judge(self, *, late: bool, within: timedelta) -> SshOutcome:
        words = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        out, err = (bytes(stream).decode(errors="replace") for stream in (self._stdout, self._stderr))
        took = timedelta(seconds=(self._ended_at or time.monotonic()) - self._started)
        offered = _HOST_KEY.search(words)
        host_key = offered.group(1) if offered else ""
        if late:
            let_in = _AUTHENTICATED.search(words) is not None
            detail = f"not ended after {within.total_seconds():g} s"
            return SshOutcome(Reached.LATE if let_in else Reached.SILENT, None, host_key, took, detail, out + err)
        status = _EXIT_STATUS.search(words)
        if status is not None and int(status.group(1)) >= 0:
            result = CommandResult(self._command, int(status.group(1)), out, err, took, str(self._client.address))
            return SshOutcome(Reached.ANSWERED, result, host_key, took)
        return SshOutcome(classify(words), None, host_key, took, own_words(words) or "the command ended without an exit status", out + err)

    def _drain(self, number: int) -> None:
        stream, into = (self._process.stdout, self._stdout) if number == 1 else (self._process.stderr, self._stderr)
        while stream is not None and (chunk := stream.read(CHUNK)):
            into.extend(chunk)
        self._ended_at = time.monotonic()

    def _feed(self, content: bytes) -> None:
        """Send standard input; a command that does not read it to the end has every right to."""
        stream = self._process.stdin
        if stream is None:
            return
        try:
            view = memoryview(content)
            while view:
                view = view[stream.write(view[:CHUNK]) :]
        except BrokenPipeError:
            pass
        finally:
            stream.close()


def classify(words: str) -> Reached:
    """Tell from ssh's own log how far a session came that has no exit status.

    Args:
        words: The log, level DEBUG1.

    Returns:
        `LOST` once the user was let in; else the cause, `RESET` when the log names none.
    """
    if _AUTHENTICATED.search(words):
        return Reached.LOST
    own = own_words(words)
    return next((reached for reached, pattern in _CAUSES if re.search(pattern, own)), Reached.RESET)


def own_words(words: str) -> str:
    """What ssh would have shown a person: its log without debug lines."""
    return "\n".join(line.strip() for line in words.splitlines() if line.strip() and not line.startswith(_CHATTER))


def pipeline_client(lab: Lab) -> PipelineClient:
    """A pipeline that was given the lab's published address, user, key and `known_hosts`."""
    fleet = lab.fleet
    return PipelineClient(fleet.endpoint, fleet.user, fleet.private_key, fleet.published.known_hosts)
