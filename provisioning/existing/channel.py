"""The control channel to machines that people own: one OpenSSH connection each, kept open, and `sudo` where the user is not root.

OpenSSH and not paramiko, as people's labs have what only it knows: host certificates, jump hosts, agents.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from model.errors import AbilityMissing, ControlChannelLost
from model.lab import CommandResult
from model.topology import MachineSpec
from provisioning.existing.labfile import Jump, Login

CONNECT_SECONDS = 8
OWN_FAILURE = 255
"""Exit status of ssh(1) when ssh itself failed."""

KILL_AFTER_SECONDS = 5
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NEEDS_PASSWORD = re.compile(r"sudo: .*(a password is required|a terminal is required|password is required)")
NOT_ALLOWED = re.compile(r"sudo: .*(not allowed|may not run)|is not in the sudoers file")
NO_SUDO = re.compile(r"sudo: (command )?not found")
LOST_MASTER = re.compile(r"mux_client|Control socket|Broken pipe|master.*(dead|exited)", re.IGNORECASE)

UNKNOWN_KEY, OTHER_KEY = "its host key is not recorded", "it has a host key that is not the recorded one"
CAUSES = (
    (r"No .* host key is known|not known by any other names|authenticity of host", UNKNOWN_KEY),
    (r"Host key for .* has changed", OTHER_KEY),
    (r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED", OTHER_KEY),
    (r"Permission denied", "the key or the user is not accepted"),
    (r"Connection refused", "the port refuses"),
    (r"timed out|Timeout, server", "there is no answer"),
    (r"No route to host|Network is unreachable", "there is no route to it"),
    (r"Could not resolve hostname", "its name cannot be resolved"),
)
"""What a line of ssh says, and what it means for who reads it; ssh ends with the same line whatever was wrong with a host key."""


@dataclass(frozen=True)
class Settings:
    """Files of a lab's connections.

    Attributes:
        folder: Private, short (a socket's path has 108 characters at most), removed in the end.
        base: Folder of the lab file: its paths are relative to it.
        known_hosts: Further lines that say who may answer, as of the host CA.
    """

    folder: Path
    base: Path
    known_hosts: str = ""

    def path(self, given: Path | None) -> Path | None:
        """A path of the lab file."""
        return None if given is None else self.base / given


def write_configuration(settings: Settings, logins: Mapping[str, tuple[str, Login]]) -> Path:
    """Write a configuration of ssh(1) for all machines of a lab.

    Args:
        settings: Where.
        logins: By machine: its address, and how to log in.

    Returns:
        The file.
    """
    parts: list[str] = []
    jumps: dict[Jump, str] = {}
    for name, (address, login) in logins.items():
        lines = _login(settings, address, login.port, login.user, login.private_key, login.known_hosts)
        if login.jump is not None:
            alias = jumps.setdefault(login.jump, alias_of(login.jump))
            lines.append(f"ProxyJump {alias}")
        parts += [f"Host {name}", *(f"    {line}" for line in lines)]
    for jump, alias in jumps.items():
        login = next(login for _, login in logins.values() if login.jump == jump)
        key, known = jump.private_key or login.private_key, jump.known_hosts or login.known_hosts
        lines = _login(settings, jump.address, jump.port, jump.user or login.user, key, known)
        parts += [f"Host {alias}", *(f"    {line}" for line in lines)]
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "ConnectTimeout": str(CONNECT_SECONDS),
        "ServerAliveInterval": "3",
        "ServerAliveCountMax": "3",
        "ControlMaster": "auto",
        "ControlPath": f"{settings.folder}/%C",
        "ControlPersist": "120",
        "LogLevel": "ERROR",
    }
    parts += ["Host *", *(f"    {name} {value}" for name, value in options.items())]
    path = settings.folder / "ssh_config"
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return path


def alias_of(jump: Jump) -> str:
    """How a jump host is called in our configuration of ssh(1)."""
    return f"jump-{hashlib.sha256(jump.model_dump_json().encode()).hexdigest()[:8]}"


def _login(settings: Settings, address: str, port: int, user: str, key: Path | None, known: Path | None) -> list[str]:  # noqa: PLR0913, PLR0917
    lines = [f"HostName {address}", f"Port {port}", f"User {user}"]
    if (file := settings.path(key)) is not None:
        lines += [f"IdentityFile {_quoted(file)}", "IdentitiesOnly yes", "IdentityAgent none"]
    extra = settings.folder / "known_hosts"
    if settings.known_hosts:
        extra.write_text(settings.known_hosts, encoding="utf-8")
    files = [*([file] if (file := settings.path(known)) else []), *([extra] if settings.known_hosts else [])]
    if files:
        lines.append(f"UserKnownHostsFile {' '.join(map(_quoted, files))}")
    return lines


def _quoted(path: Path) -> str:
    return f'"{path}"'


@dataclass
class SshChannel:
    """Runs commands as root on one machine.

    Attributes:
        spec: The machine.
        login: How to log in.
        configuration: Of ssh(1).
        known_hosts: Where its host key is recorded; None for the file of whoever runs the suite.
        refused: Why there is no root for us; empty while nothing speaks against it.
    """

    spec: MachineSpec
    login: Login
    configuration: Path
    known_hosts: Path | None = None
    refused: str = field(default="", init=False)

    @property
    def becomes_root(self) -> bool:
        """Whether root is had by sudo."""
        return self.login.user != "root" if self.login.sudo is None else self.login.sudo

    def through(self, port: int) -> tuple[str, ...]:
        """Command whose standard streams are a connection to one of the machine's ports; empty where it is reached directly."""
        if self.login.jump is None:
            return ()
        place = f"{self.spec.address}:{port}"
        return ("ssh", "-F", str(self.configuration), "-o", "LogLevel=INFO", "-W", place, alias_of(self.login.jump))

    def run(self, command: str, timeout: timedelta, stdin: bytes | None = None) -> CommandResult:
        """Run a shell command as root.

        Args:
            command: Shell text.
            timeout: For all of it; on the machine the command is ended then, too.
            stdin: What it reads.

        Raises:
            AbilityMissing: There is no root for us.
            ControlChannelLost: No way in, or it did not end in time.
        """
        if self.refused:
            raise AbilityMissing(self.refused)
        token = secrets.token_hex(6)
        line = self._remote(command, timeout, token)
        started = time.monotonic()
        done = self._ssh(line, timeout + timedelta(seconds=CONNECT_SECONDS), stdin)
        if done.returncode == OWN_FAILURE and LOST_MASTER.search(done.stderr.decode(errors="replace")):
            done = self._ssh(line, timeout + timedelta(seconds=CONNECT_SECONDS), stdin)  # what was kept open is gone: once more, anew
        stderr = done.stderr.decode(errors="replace")
        if done.returncode == OWN_FAILURE:
            raise ControlChannelLost(self.explain(stderr))
        self._judge_root(stderr)
        text, status = stderr, done.returncode
        if found := re.search(rf"@@{token} (\d+)\n$", stderr):
            text, status = stderr[: found.start()], int(found[1])
        duration = timedelta(seconds=time.monotonic() - started)
        if status in {124, 137} and duration >= timeout:
            msg = f"`{command}` on {self.spec.name} did not end within {timeout.total_seconds():g} s"
            raise ControlChannelLost(msg)
        return CommandResult(command, status, done.stdout.decode(errors="replace"), text, duration, self.spec.name)

    def _remote(self, command: str, timeout: timedelta, token: str) -> str:
        """The command as sshd's shell gets it: bounded on the machine, its exit status beside the streams (255 is ssh's own)."""
        limit = f"timeout --kill-after={KILL_AFTER_SECONDS} {max(timeout.total_seconds(), 0.1):g}"
        surroundings = f'export CONTROL_CONNECTION="$1" HOME=/root PATH={PATH}'
        inner = f'{surroundings}; {limit} sh -c "$2"; printf "@@{token} %s\\n" "$?" >&2'
        root = "sudo -n -- " if self.becomes_root else ""
        return f'{root}sh -c {shlex.quote(inner)} control "$SSH_CONNECTION" {shlex.quote(command)}'

    def _ssh(self, line: str, within: timedelta, stdin: bytes | None) -> subprocess.CompletedProcess[bytes]:
        argv = ["ssh", "-F", str(self.configuration), "-T", self.spec.name, line]
        try:
            return subprocess.run(
                argv,
                input=stdin or b"",
                capture_output=True,
                check=False,
                timeout=within.total_seconds() + KILL_AFTER_SECONDS,
                env=_environment(),
            )
        except subprocess.TimeoutExpired as error:
            self.drop()
            msg = f"{self.spec.name} did not answer over its control channel within {within.total_seconds():g} s"
            raise ControlChannelLost(msg) from error

    def _judge_root(self, stderr: str) -> None:
        who, name = self.login.user, self.spec.name
        if NEEDS_PASSWORD.search(stderr):
            self.refused = f"sudo wants a password of {who} on {name}; allow it without: `{who} ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d"
        elif NOT_ALLOWED.search(stderr):
            self.refused = f"{who} may not become root on {name}: {stderr.strip().splitlines()[-1]}"
        elif NO_SUDO.search(stderr):
            self.refused = f"there is no sudo on {name}, and {who} is not root"
        if self.refused:
            raise AbilityMissing(self.refused)

    def explain(self, said: str) -> str:
        """What ssh's words mean, and what to do."""
        place = f"{self.spec.name} ({self.spec.address}, port {self.login.port})"
        lines = said.strip().splitlines() or ["ssh said nothing"]
        for pattern, meaning in CAUSES:
            if found := next((line.strip() for line in lines if re.search(pattern, line)), ""):
                return f"no way into {place} as {self.login.user}: {meaning} ({found})"
        return f"no way into {place} as {self.login.user}: {lines[-1]}"

    def drop(self) -> None:
        """Close the connection, should there be one: after whatever may have ended it."""
        argv = ["ssh", "-F", str(self.configuration), "-O", "exit", self.spec.name]
        subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10, env=_environment())


def _environment() -> dict[str, str]:
    """Ours, with messages in English."""
    return {**os.environ, "LC_ALL": "C"}
