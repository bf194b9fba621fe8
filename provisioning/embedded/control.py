"""The control channel of an embedded machine: into its namespaces from the host, past its network and its sshd."""

from __future__ import annotations

import subprocess
import time
from datetime import timedelta

from model.errors import ControlChannelLost
from model.lab import CommandResult

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "USER": "root"}


def inside(leader: int, command: str) -> list[str]:
    """Command line that runs a shell command as root beside a container's first process; wants `ENVIRONMENT`."""
    entrance = ["nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]
    return [*entrance, "--", "/bin/sh", "-c", command]


def run_inside(machine: str, leader: int, command: str, timeout: timedelta, stdin: bytes | None) -> CommandResult:
    """Run a shell command as root beside a container's first process.

    Args:
        machine: Name, for messages.
        leader: Process id of the container's first process on the host.
        command: Shell text.
        timeout: Deadline; the command is killed then.
        stdin: What it reads; nothing by default.

    Raises:
        ControlChannelLost: It did not end in time, or the machine's namespaces are gone.
    """
    argv = inside(leader, command)
    start = time.monotonic()
    try:
        done = subprocess.run(argv, input=stdin or b"", capture_output=True, check=False, timeout=timeout.total_seconds(), env=ENVIRONMENT)
    except subprocess.TimeoutExpired as error:
        msg = f"`{command}` on {machine} did not end within {timeout.total_seconds():g} s"
        raise ControlChannelLost(msg) from error
    stderr = done.stderr.decode(errors="replace")
    if done.returncode != 0 and stderr.startswith("nsenter:"):
        msg = f"no way into {machine} (is it off?): {stderr.strip()}"
        raise ControlChannelLost(msg)
    duration = timedelta(seconds=time.monotonic() - start)
    return CommandResult(command, done.returncode, done.stdout.decode(errors="replace"), stderr, duration, machine)
