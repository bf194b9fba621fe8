"""What a lab file's commands do to machines from outside: power, network, rebuilding."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from model.errors import ControlChannelLost
from model.topology import MachineSpec
from provisioning.existing.labfile import Commands

ON, OFF = 0, 1
"""How `is_on` ends."""


class Grip(Protocol):
    """What holds a machine from outside; deeds are named as the commands of a lab file are."""

    def has(self, *names: str) -> bool:
        """Whether all of these can be done."""

    def do(self, name: str) -> None:
        """Do it; raises `ControlChannelLost` where it did not work."""

    def is_on(self) -> bool:
        """Whether the machine has power."""

    def line(self, name: str) -> str:
        """A deed in words, for messages."""


@dataclass(frozen=True)
class Hands:
    """Runs the commands for one machine, on this host.

    Attributes:
        spec: The machine.
        commands: From the lab file.
        base: Folder of the lab file, in which they run.
        network: Open file of the network namespace in which they run; None for that of whoever calls.
    """

    spec: MachineSpec
    commands: Commands
    base: Path
    network: int | None = None

    def has(self, *names: str) -> bool:
        """Whether the file gives all of these commands."""
        return all(getattr(self.commands, name) is not None for name in names)

    def do(self, name: str) -> None:
        """Run a command that must succeed.

        Raises:
            ControlChannelLost: It failed or did not end in time.
        """
        done = self._run(name)
        if done.returncode != 0:
            raise ControlChannelLost(self._failed(name, done))

    def is_on(self) -> bool:
        """Ask whether the machine has power.

        Raises:
            ControlChannelLost: The command ended with something else than 0 (it has) or 1 (it has none).
        """
        done = self._run("is_on")
        if done.returncode not in {ON, OFF}:
            raise ControlChannelLost(self._failed("is_on", done))
        return done.returncode == ON

    def line(self, name: str) -> str:
        """The command for this machine."""
        text: str = getattr(self.commands, name)
        return text.replace("{machine}", shlex.quote(self.spec.name)).replace("{address}", shlex.quote(self.spec.address))

    def _run(self, name: str) -> subprocess.CompletedProcess[str]:
        enter = [] if self.network is None else ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self.network}", "--"]
        try:
            return subprocess.run(
                [*enter, "/bin/sh", "-c", self.line(name)],
                cwd=self.base,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=self.commands.within,
            )
        except subprocess.TimeoutExpired as error:
            msg = f"`{self.line(name)}` (power.{name} of the lab file) did not end within {self.commands.within:g} s"
            raise ControlChannelLost(msg) from error

    def _failed(self, name: str, done: subprocess.CompletedProcess[str]) -> str:
        said = (done.stderr or done.stdout).strip().splitlines()
        return f"`{self.line(name)}` (power.{name} of the lab file) ended with {done.returncode}: {said[-1] if said else 'it said nothing'}"
