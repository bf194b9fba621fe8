"""Runs the long commands of set-up: line by line, never orphaned, and with an error that says what to do."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from model.errors import AcceptanceError, HostUnfit, ToolMissing

SETUP_COMMAND = "make setup"
SETUP_EXTRA = "python -m provisioning setup --with"
TAIL = 12
GIGABYTE = 1_000_000_000
_UNREACHABLE = re.compile(
    r"dial tcp|no such host|connection refused|network is unreachable|i/o timeout|handshake timeout|proxyconnect|temporary failure|"
    r"failed to fetch|could not (resolve|connect)|connection (timed out|reset)|failed to establish a new connection|max retries exceeded|"
    r"no matching distribution found|50[234] (bad gateway|service unavailable|gateway)",
    re.IGNORECASE,
)


class CommandFailed(Exception):
    """A command ended with an error."""

    def __init__(self, command: Sequence[str], exit_status: int, tail: str) -> None:
        """Keep what the person who repairs it needs."""
        super().__init__(f"`{' '.join(command[:3])} …` ended with {exit_status}:\n{tail}")
        self.tail = tail


def follow(
    command: Sequence[str],
    on_line: Callable[[str], None],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    progress_line: re.Pattern[str] | None = None,
) -> None:
    """Run a command and hand over what it says, both streams merged.

    Where this process ends first, however it ends, the command is killed too (`setpriv --pdeathsig`, util-linux).

    Args:
        command: Program and arguments.
        on_line: Called with each line, without its end.
        env: The whole environment; ours unless given.
        cwd: Where to run it.
        progress_line: A line that tells nothing but progress, and no failure.

    Raises:
        CommandFailed: It ended with another exit status than 0; carries the last lines.
    """
    tail: deque[str] = deque(maxlen=TAIL)
    with _start(command, subprocess.PIPE, env, cwd) as process:
        try:
            for line in process.stdout or ():
                if progress_line is None or not progress_line.fullmatch(line.rstrip()):
                    tail.append(line.rstrip())
                on_line(line.rstrip())
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise CommandFailed(command, process.returncode, "\n".join(tail))


@contextlib.contextmanager
def beside(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Iterator[None]:
    """Run a command while the block runs, and not longer; nobody hears what it says, or whether it failed.

    Args:
        command: Program and arguments.
        env: The whole environment; ours unless given.
        cwd: Where to run it.
    """
    with _start(command, subprocess.DEVNULL, env, cwd) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _start(command: Sequence[str], output: int, env: Mapping[str, str] | None, cwd: Path | None) -> subprocess.Popen[str]:
    """A command in a session of its own, so that all of it can be killed, and that does not outlive us."""
    tied = ["setpriv", "--pdeathsig", "KILL", "--", *command] if shutil.which("setpriv") else list(command)
    return subprocess.Popen(
        tied,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=env,
        cwd=cwd,
        start_new_session=True,
    )


def explain(failure: CommandFailed, what: str, step: str, folder: Path, needed_bytes: int) -> AcceptanceError:
    """Say what a failed command means for the person who started set-up.

    Args:
        failure: What happened.
        what: What was to be made ("MinIO", "the machine image").
        step: Which step failed ("fetching its sources").
        folder: Where it was to be made.
        needed_bytes: Disk space that the step needs.

    Returns:
        HostUnfit where the disk is full, else ToolMissing; both say that the next set-up goes on from here.
    """
    if "no space left on device" in failure.tail.lower():
        return disk_full(what, folder, needed_bytes)
    if _UNREACHABLE.search(failure.tail):
        reason = "a registry could not be reached"
        remedy = f"Run `{SETUP_COMMAND}` again when the network is back: it resumes with this step."
    else:
        reason, remedy = "a command failed", f"Run `{SETUP_COMMAND}` again once the cause is removed: it resumes with this step."
    return ToolMissing(f"{what} is missing, as {reason} while {step}. {remedy}\n{failure}")


def disk_full(what: str, folder: Path, needed_bytes: int) -> HostUnfit:
    """The error for a disk without room, after everything half-made was removed."""
    free = shutil.disk_usage(_existing(folder)).free
    return HostUnfit(
        f"no room for {what}: {needed_bytes / GIGABYTE:.1f} GB needed at {folder}, {free / GIGABYTE:.1f} GB available; "
        f"nothing half-made was left there. Make room, or point XDG_CACHE_HOME at another disk, and run `{SETUP_COMMAND}` again."
    )


def require_space(what: str, folder: Path, needed_bytes: int) -> None:
    """Look before a step that needs much room.

    Raises:
        HostUnfit: There is less than needed; names both numbers.
    """
    if shutil.disk_usage(_existing(folder)).free < needed_bytes:
        raise disk_full(what, folder, needed_bytes)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
