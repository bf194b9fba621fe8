"""The same lab as plain containers: same image, same files, same network, but an engine in place of systemd-nspawn and no systemd.

Each container runs its service in the foreground, with sshd beside it, as every machine of a lab has one.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from model.errors import HostUnfit, LabUnavailable
from model.lab import Lab
from model.topology import MachineSpec, Role, Topology
from provisioning import images, toolchain
from provisioning.embedded import stores
from provisioning.embedded.blueprint import Blueprint
from provisioning.embedded.disk import Disk
from provisioning.embedded.driver import attach
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork
from provisioning.embedded.ownership import Ownership
from provisioning.embedded.removal import remove_lab
from provisioning.roles import Applied
from provisioning.roles.reference import MINIO_DATA

DEADLINE_SECONDS = 60
RUNTIMES = ("crun", "runc")
CAPABILITIES = ("NET_ADMIN", "NET_RAW", "SYS_CHROOT", "AUDIT_WRITE")
FIRST_OF_ALL = "mkdir -p /run/sshd /run/haproxy"
SERVICES = {
    Role.STORAGE: "/usr/sbin/sshd; set -a; . /etc/default/minio; set +a; exec {minio}",
    Role.BALANCER: "/usr/sbin/sshd; [ ! -e /etc/keepalived/keepalived.conf ] || keepalived; exec haproxy -W -f /etc/haproxy/haproxy.cfg",
    Role.RUNNER: "exec /usr/sbin/sshd -D",
}
PROGRAMS = {Role.STORAGE: "minio", Role.RUNNER: "tofu"}


@dataclass(frozen=True)
class Engine:
    """Podman with a runtime that works on this host."""

    runtime: str

    @property
    def command(self) -> list[str]:
        """How it is called."""
        return ["podman", "--runtime", self.runtime]

    def __str__(self) -> str:
        """Name and version."""
        version = subprocess.run(["podman", "--version"], capture_output=True, text=True, check=False).stdout.split()
        return f"podman {version[-1] if version else ''} with {self.runtime}"


def find_engine() -> Engine:
    """Find a container engine by running a container.

    Raises:
        HostUnfit: None works here; says why. Docker cannot start from a folder, so it is not tried.
    """
    if shutil.which("podman") is None:
        raise HostUnfit("podman is not installed (`apt-get install podman runc`)")
    reasons = []
    for runtime in (name for name in RUNTIMES if shutil.which(name)):
        done = _run([*Engine(runtime).command, "run", "--rm", "--network=none", *_limits(), "--rootfs", f"{images.find()}:O", "/bin/true"])
        if done.returncode == 0:
            return Engine(runtime)
        reasons.append(f"{runtime}: {done.stderr.strip().splitlines()[-1]}")
    raise HostUnfit("; ".join(reasons) or f"podman finds no runtime of {', '.join(RUNTIMES)}")


def _limits() -> Iterator[str]:
    """No more than this process may use: an engine's defaults are refused where the host is itself confined."""
    for name, kind, enough in (("nofile", resource.RLIMIT_NOFILE, 65536), ("nproc", resource.RLIMIT_NPROC, 4096)):
        _, hard = resource.getrlimit(kind)
        allowed = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
        yield f"--ulimit={name}={allowed}:{allowed}"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS, stdin=subprocess.DEVNULL)


@dataclass
class PlainContainers:
    """A lab of containers; what a crash leaves of it is found and removed as of any lab (`python -m provisioning sweep`).

    Attributes:
        engine: Which runs them.
        plan: Machines.
        names: The lab's.
        programs: `minio`, `tofu` and `mc` by name.
    """

    engine: Engine
    plan: Topology
    names: LabNames
    programs: dict[str, Path] = field(default_factory=lambda: {each.name: toolchain.find(each, None).path for each in toolchain.PROGRAMS})
    _owned: Ownership | None = None

    def up(self) -> Lab:
        """Start all containers, from the same files as an embedded lab, its store's formatted drives included.

        Raises:
            LabUnavailable: A container did not start.
        """
        self._owned = Ownership.claim(self.names.folder)
        begun = time.monotonic()
        store = stores.formatted(self.plan, self.programs["minio"], _not_formatted)
        blueprint = Blueprint(self.names.folder, self.plan, images.find(), self.programs, store.credentials)
        blueprint.save()
        network = LabNetwork(self.names)
        network.create()
        prepared = time.monotonic()
        layout = 0.0
        with ThreadPoolExecutor() as starting:
            started = []
            for spec in self.plan.machines:
                before = time.monotonic()
                disk, applied = Disk(self.names.machine_folder(spec.name), blueprint.image), blueprint.apply(spec)
                disk.create()
                disk.write(applied)
                if spec.name in store.drives:
                    disk.copy_in(store.drives[spec.name], MINIO_DATA)
                layout += time.monotonic() - before
                network.plug_in(spec.name, spec.address)
                started.append(starting.submit(self._start, spec, applied, disk.root))
        for container in started:
            container.result()
        lab = attach(self.names.lab)
        lab.phases.update({"prepare": prepared - begun, "layout": layout, "boot": time.monotonic() - prepared - layout})
        return lab

    def _start(self, spec: MachineSpec, applied: Applied, root: Path) -> None:
        network, folder = LabNetwork(self.names), self.names.machine_folder(spec.name)
        command = [
            *self.engine.command, "run", "--detach", f"--name={self.names.machine(spec.name)}", f"--hostname={spec.name}",
            # The engine's supervisor stands where an embedded machine's does: the same way in, the same look at it.
            f"--conmon-pidfile={folder}/nspawn.pid", f"--cgroup-parent=/{self.names.cgroup(spec.name)}",
            f"--network=ns:{network.namespace_of(spec.name)}", "--no-hosts", "--systemd=false", "--log-driver=none",
            *(f"--cap-add={capability}" for capability in CAPABILITIES), *_limits(), *_sysctls(applied),
        ]  # fmt: skip
        if spec.limits.memory_mib:
            command.append(f"--memory={spec.limits.memory_mib}m")
        if spec.role in PROGRAMS:
            command.append(f"--volume={self.programs[PROGRAMS[spec.role]].resolve()}:/usr/local/bin/{PROGRAMS[spec.role]}:ro")
        service = SERVICES[spec.role].format(minio=_exec_start(applied))
        done = _run([*command, "--rootfs", str(root), "/bin/sh", "-c", f"{FIRST_OF_ALL}; {service}"])
        if done.returncode != 0:
            raise LabUnavailable(f"{self.engine} did not start {spec.name}: {done.stderr.strip()}")

    def down(self) -> None:
        """Remove containers, mounts, network and files."""
        machines = [self.names.machine(spec.name) for spec in self.plan.machines]
        done = _run([*self.engine.command, "rm", "--force", "--ignore", "--time=0", *machines])
        remove_lab(self.names)
        if self._owned is not None:
            self._owned.release(keep=False)
        if done.returncode != 0:
            raise LabUnavailable(f"{self.engine} did not remove its containers: {done.stderr.strip()}")


def _not_formatted(_plan: Topology, _name: str, _folder: Path) -> stores.StoreDrives:
    raise LabUnavailable("the store's drives were never formatted: measure an embedded lab first")


def _sysctls(applied: Applied) -> Iterator[str]:
    """What systemd-sysctl does when a machine boots."""
    for path, file in applied.files.items():
        if path.startswith("/etc/sysctl.d/"):
            settings = (line.partition("=") for line in file.content.splitlines() if "=" in line and not line.startswith("#"))
            yield from (f"--sysctl={name.strip()}={value.strip()}" for name, _, value in settings)


def _exec_start(applied: Applied) -> str:
    """The command line of a storage machine's unit; empty on other machines."""
    unit = applied.files.get("/etc/systemd/system/minio.service")
    lines = unit.content.splitlines() if unit else []
    return next((line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart=")), "")
