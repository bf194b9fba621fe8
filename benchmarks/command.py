"""One command on a machine: over the lab's control channel, and over SSH as testinfra would do it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import testinfra
from testinfra.host import Host

from benchmarks.calm import Calm
from benchmarks.results import Row, Table
from benchmarks.serving import await_serving, inside
from benchmarks.trials import new_name
from model.lab import Lab, Machine
from model.topology import topology
from provisioning import drivers

TITLE = "One command through testinfra (`true` on a runner)"
COMMANDS = 100
SHARED = "shared"
TARGET_MILLISECONDS = 15
CONTROL = "control channel of the embedded lab"


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Run commands over every channel, in turn; at least a hundred each."""
    driver = drivers.embedded()
    tell("building a lab")
    lab = driver.provision(topology("single"), new_name())
    count = max(COMMANDS, runs)
    try:
        taken = inside(lambda: driver.enter(lab), lambda: _measure(lab, count, calm, tell))
    finally:
        driver.remove(lab)
    rows = [Row(name, tuple(milliseconds), "ms", TARGET_MILLISECONDS if name == CONTROL else None) for name, milliseconds in taken.items()]
    remarks = (
        "Over SSH to the runner's own sshd. OpenSSH checks its host certificate; paramiko keeps one session and checks nothing.",
        calm.sentence(),
    )
    return Table("command", TITLE, rows, remarks)


def _measure(lab: Lab, count: int, calm: Calm, tell: Callable[[str], object]) -> dict[str, list[float]]:
    await_serving(lab)
    with tempfile.TemporaryDirectory(prefix="tofu-ha-ssh-") as folder:
        hosts = _hosts(lab, Path(folder))
        for host in hosts.values():
            _once(host)
        calm.wait()
        taken: dict[str, list[float]] = {name: [] for name in hosts}
        for number in range(1, count + 1):
            tell(f"command {number} of {count} over each of {len(hosts)} channels")
            for name, host in hosts.items():
                taken[name].append(_once(host))
        end = ["ssh", "-o", f"ControlPath={folder}/{SHARED}", "-O", "exit", lab.runners[0].address]
        subprocess.run(end, check=False, capture_output=True, timeout=10)
    return taken


def _once(host: Host) -> float:
    """Milliseconds that one command took."""
    begun = time.monotonic()
    host.run_expect([0], "true")
    return 1000 * (time.monotonic() - begun)


def _hosts(lab: Lab, folder: Path) -> dict[str, Host]:
    runner: Machine = lab.runners[0]
    known_hosts = (lab.folder or folder) / "known_hosts"
    strict = folder / "strict"
    strict.write_text(f"Host *\n  UserKnownHostsFile {known_hosts}\n  StrictHostKeyChecking yes\n  BatchMode yes\n  LogLevel ERROR\n")
    lenient = folder / "lenient"
    lenient.write_text("Host *\n  StrictHostKeyChecking no\n")
    key = str(lab.fleet.private_key)
    over = partial(testinfra.get_host, ssh_identity_file=key)
    return {
        CONTROL: runner.host,
        "OpenSSH, ControlPath": over(f"ssh://root@{runner.address}", ssh_config=str(strict), controlpath=f"{folder}/{SHARED}"),
        "OpenSSH, a connection each": over(f"ssh://root@{runner.address}", ssh_config=str(strict), controlpersist=0),
        "paramiko": over(f"paramiko://root@{runner.address}", ssh_config=str(lenient)),
    }
