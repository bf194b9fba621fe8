"""A peer on the lab's network: sockets and OpenSSH, used from a thread that lives in the lab's namespace."""

from __future__ import annotations

import errno
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from model.lab import Lab, Machine
from model.topology import Address
from model.waiting import wait_until
from probes.openssh import PipelineClient
from probes.outcomes import Reached, RunningCommand, SshOutcome
from probes.ssh import knock
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork

SSH = 22
PATIENCE = timedelta(seconds=30)
LISTEN_SECONDS = 1.5
P = ParamSpec("P")
R = TypeVar("R")


class Peer:
    """Sees a lab from outside of its machines. The thread of the test itself stays where it is."""

    def __init__(self, lab: Lab, enter: Callable[[], None] | None = None) -> None:
        """Start a thread and move it into the lab's network.

        Args:
            lab: What it looks at.
            enter: Moves a thread to where the lab's addresses are known; into an embedded lab's network, unless given.
        """
        self.lab = lab
        self._thread = ThreadPoolExecutor(max_workers=1, initializer=enter or LabNetwork(LabNames(lab.name)).enter)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in the lab's network."""
        return self._thread.submit(function, *args, **kwargs).result()

    def connect(self, machine: Machine, port: int = SSH) -> socket.socket:
        """Open a connection, and read the first bytes of a banner where it is sshd."""
        link = self.call(socket.create_connection, (machine.address, port), 5.0)
        if port == SSH:
            assert link.recv(4) == b"SSH-"
            link.recv(4096)
        return link

    def attempt(self, machine: Machine, port: int = SSH) -> str:
        """Try to connect once: `open`, `refused`, or `silent` when no packet comes back (an unanswered ARP request included)."""
        try:
            self.call(socket.create_connection, (machine.address, port), LISTEN_SECONDS).close()
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "silent"
        except OSError as error:
            if error.errno == errno.EHOSTUNREACH:
                return "silent"
            raise
        return "open"

    def answers(self, machine: Machine) -> bool:
        """Whether sshd greets, once."""
        return self.call(knock, Address(machine.address, SSH)).reached is Reached.ANSWERED

    def await_answer(self, machine: Machine) -> None:
        """Wait until sshd greets."""
        wait_until(lambda: self.answers(machine), bool, what=f"{machine.name} greets", within=PATIENCE)

    def client(self, machine: Machine) -> PipelineClient:
        """OpenSSH's client for one machine, trusting the lab's CA alone."""
        known_hosts = (Path(str(self.lab.folder)) / "known_hosts").read_text(encoding="utf-8")
        return PipelineClient(Address(machine.address, SSH), self.lab.fleet.user, self.lab.fleet.private_key, known_hosts)

    def ssh(self, machine: Machine, command: str = "true") -> SshOutcome:
        """Run a command as the pipeline's user."""
        return self.call(self.client(machine).run, command)

    def host_key(self, machine: Machine) -> str:
        """The plain host key that a machine shows to a stranger."""
        argv = ["ssh-keyscan", "-t", "ed25519", machine.address]
        scan = self.call(subprocess.run, argv, capture_output=True, text=True, check=True, timeout=PATIENCE.total_seconds())
        return " ".join(scan.stdout.split()[1:])

    def ticking(self, machine: Machine) -> RunningCommand:
        """A session that tells the time ten times a second; returned once it ticks."""
        session = self.call(self.client(machine).start, "while :; do date +%s.%N; sleep 0.1; done")
        wait_until(lambda: len(ticks(session)), lambda count: count > 3, what="the session ticks", within=PATIENCE)
        return session


def ticks(session: RunningCommand) -> list[float]:
    """Times told so far, in seconds since the epoch."""
    return [float(line) for line in session.output_so_far().splitlines(keepends=True) if line.endswith("\n")]


def fate(link: socket.socket) -> str:
    """What an open connection says within a moment: `ended` (FIN), `reset` (RST), or `silent` as far as the network goes."""
    link.settimeout(LISTEN_SECONDS)
    with suppress(TimeoutError):
        try:
            while link.recv(4096):
                pass
        except ConnectionResetError:
            return "reset"
        return "ended"
    return "silent"
