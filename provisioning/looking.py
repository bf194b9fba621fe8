"""testinfra over a control channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testinfra.backend.base import BaseBackend
from testinfra.backend.base import CommandResult as HostResult
from testinfra.host import Host

from model.lab import CommandResult


class ControlBackend(BaseBackend):  # type: ignore[misc]
    """testinfra over a control channel."""

    NAME = "control"

    def __init__(self, machine: str, run: Callable[[str], CommandResult]) -> None:
        """Look at the machine through `run`."""
        super().__init__(machine)
        self._run = run

    def run(self, command: str, *args: str, **_: Any) -> HostResult:
        """Run one of testinfra's commands."""
        line = self.get_command(command, *args)
        done = self._run(line)
        return self.result(done.exit_status, self.encode(line), done.stdout.encode(), done.stderr.encode())


def testinfra_host(machine: str, run: Callable[[str], CommandResult]) -> Host:
    """Testinfra's `host` for a machine, its commands run by `run`."""
    return Host(ControlBackend(machine, run))
