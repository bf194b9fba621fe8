"""One systemd-nspawn container: start it, know when it has booted, find its first process."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model.errors import MachineDidNotBoot
from provisioning.embedded.cgroups import Cgroup

BOOT_SECONDS = 20.0
BOOT_LIMIT_SECONDS = 60.0
CONSOLE_LINES = 15


@dataclass(frozen=True)
class ContainerPlan:
    """What a container is started with."""

    name: str
    hostname: str
    root: Path
    namespace: Path
    folder: Path
    programs: Mapping[str, Path]
    cgroup: Cgroup

    def command(self) -> list[str]:
        """Command line, options as measured to work on cgroup v1, hybrid and v2 hosts."""
        return [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--notify-ready=yes",
            f"--directory={self.root}", f"--network-namespace-path={self.namespace}",
            f"--hostname={self.hostname}", f"--machine={self.name}",
            "--capability=CAP_NET_ADMIN", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
            *(f"--bind-ro={path}:/usr/local/bin/{name}" for name, path in self.programs.items()),
        ]  # fmt: skip


class Container:
    """A container by its plan; what runs is read from the host, so that any process can find it again."""

    def __init__(self, plan: ContainerPlan) -> None:
        """Name it; nothing is started."""
        self._plan = plan
        self._ready: socket.socket | None = None

    @property
    def _pid_file(self) -> Path:
        return self._plan.folder / "nspawn.pid"

    @property
    def console(self) -> Path:
        """File with everything that the machine printed on its console, over all boots."""
        return self._plan.folder / "console.log"

    def start(self) -> None:
        """Start booting; `wait_until_booted` says when it is done."""
        address = str(self._plan.folder / "ready")
        Path(address).unlink(missing_ok=True)
        self._ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._ready.bind(address)
        self._plan.root.joinpath("etc/machine-id").write_text("")
        join = self._plan.cgroup.joining_command()
        with self.console.open("ab") as console:
            process = subprocess.Popen(
                ["/bin/sh", "-ec", f'{join}; exec "$@"', "sh", *self._plan.command()],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                env={**os.environ, "NOTIFY_SOCKET": address, "SYSTEMD_NSPAWN_LOCK": "0", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
            )  # fmt: skip
        self._pid_file.write_text(str(process.pid))
        _CHILDREN[process.pid] = process

    def wait_until_booted(self) -> bool:
        """Wait until systemd in the container reports that its job queue is empty, 20 s at most.

        Returns:
            False if systemd still works after 20 s (the control channel answers then).

        Raises:
            MachineDidNotBoot: The container ended, or systemd never came up.
        """
        try:
            return self._await_readiness()
        finally:
            self.stop_waiting()

    def _await_readiness(self) -> bool:
        deadline = time.monotonic() + BOOT_SECONDS
        limit = time.monotonic() + BOOT_LIMIT_SECONDS
        while time.monotonic() < limit:
            if self._was_told():
                return True
            if not self.is_running():
                raise MachineDidNotBoot(self._last_words("ended while it booted"))
            if time.monotonic() > deadline and self._has_systemd():
                return False
        raise MachineDidNotBoot(self._last_words(f"did not boot within {BOOT_LIMIT_SECONDS:g} s"))

    def _was_told(self) -> bool:
        if self._ready is None:
            return True
        self._ready.settimeout(0.1)
        try:
            told = self._ready.recv(4096)
        except TimeoutError:
            return False
        return b"READY=1" in told.split(b"\n")

    def stop_waiting(self) -> None:
        """Do not wait for the boot any more, or stop where nobody waited."""
        if self._ready is not None:
            self._ready.close()
            self._ready = None

    def _has_systemd(self) -> bool:
        leader = self.leader()
        return leader is not None and Path(f"/proc/{leader}/root/run/systemd/private").exists()

    def _last_words(self, what: str) -> str:
        lines = self.console.read_text(errors="replace").splitlines()[-CONSOLE_LINES:] if self.console.exists() else []
        return f"{self._plan.hostname} {what}; its console's last lines:\n" + "\n".join(f"  {line}" for line in lines)

    def supervisor(self) -> int | None:
        """Process id of systemd-nspawn itself, None when it does not run."""
        try:
            pid = int(self._pid_file.read_text())
            if pid in _CHILDREN:  # nobody else can have its number; its command line is empty for a moment while it replaces the shell
                return pid if _CHILDREN[pid].poll() is None else None
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if self._plan.name.encode() in command else None

    def leader(self) -> int | None:
        """Process id of the container's first process as the host sees it (nspawn's only child), None when there is none."""
        pid = self.supervisor()
        if pid is None:
            return None
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def is_running(self) -> bool:
        """Whether the machine has power."""
        return self.supervisor() is not None

    def kill(self) -> None:
        """End the container at once: its first process, with which the kernel ends all others; then nspawn."""
        leader = self.leader()
        if leader is not None:
            _signal(leader, signal.SIGKILL)
        if not self.wait_until_ended(3.0):
            self._plan.cgroup.kill()
            self.wait_until_ended(5.0)

    def wait_until_ended(self, seconds: float) -> bool:
        """Wait until nothing of the container runs.

        Returns:
            Whether it ended in time.
        """
        deadline = time.monotonic() + seconds
        while self.is_running() or self._plan.cgroup.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""nspawn processes that this process started, so that they are reaped when they end."""


@atexit.register
def _part_from_children() -> None:
    """Labs that are kept outlive this process: without a word about each machine that runs on."""
    for process in _CHILDREN.values():
        if process.poll() is None:
            process.returncode = 0


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
