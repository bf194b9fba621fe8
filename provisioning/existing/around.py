"""Commands of the lab file before the first disruption of a run and after the last one, as to silence alerts."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from model.secrets import SECRETS
from provisioning.existing.labfile import Around


@dataclass
class AroundDisruption:
    """Runs each of the two once; on this host, in the network of whoever started the suite.

    Attributes:
        commands: From the lab file.
        base: Folder of the lab file, in which they run.
        network: Open file of the network namespace in which they run; None for that of whoever calls.
    """

    commands: Around
    base: Path
    network: int | None = None
    _begun: bool = field(default=False, init=False)
    _refused: str = field(default="", init=False)

    def begin(self) -> str:
        """Run `before`, unless it was run already.

        Returns:
            Why nothing may be disrupted; empty where it may.
        """
        if not self._begun:
            self._begun = True
            self._refused = self._run("before", self.commands.before)
        return self._refused

    def end(self) -> str:
        """Run `after`, where `before` was run, whatever became of it.

        Returns:
            What went wrong; empty when nothing did.
        """
        if not self._begun:
            return ""
        self._begun = False
        return self._run("after", self.commands.after)

    def make_up(self) -> str:
        """Run `after` for a run that died.

        Returns:
            What went wrong; empty when nothing did.
        """
        return self._run("after", self.commands.after)

    def _run(self, name: str, line: str | None) -> str:
        if line is None:
            return ""
        enter = [] if self.network is None else ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self.network}", "--"]
        told = f"`{line}` (around_disruption.{name} of the lab file)"
        with subprocess.Popen(
            [*enter, "/bin/sh", "-c", line],
            cwd=self.base,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        ) as process:
            try:
                output, complaint = process.communicate(timeout=self.commands.within)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # with all that it started
                return f"{told} did not end within {self.commands.within:g} s"
        if process.returncode == 0:
            return ""
        said = (complaint or output).strip().splitlines()
        return SECRETS.mask(f"{told} ended with {process.returncode}: {said[-1] if said else 'it said nothing'}")
