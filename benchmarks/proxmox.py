"""Labs on a stand-in of Proxmox VE, up and down by phase: what the driver itself costs, as cloning and booting take no time here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from benchmarks.calm import Calm
from benchmarks.host import ROOT
from benchmarks.results import Row, Table, collect
from model.errors import AcceptanceError
from provisioning.proxmox.labfile import ENVIRONMENTS

TITLE = "Labs on Proxmox VE in a rehearsal, by phase"
LONGEST_SECONDS = 600
LAST_LINES = 5
PHASES = {
    "apply": "OpenTofu and its provider; clones are entries in a list, and take no time",
    "boot": "until the last sshd greets; machines without a kernel of their own boot while others are made",
    "roles": "files, programs and units over SSH, all machines at once",
    "store set up": "bucket, versions, the runners' user",
    "snapshots": "one per machine",
    "serving": "until one look at every machine finds nothing that does not serve",
}


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Make labs and remove them again, topologies in turn."""
    found: dict[str, list[dict[str, float]]] = {plan: [] for plan in reversed(ENVIRONMENTS)}
    for number in range(1, runs + 1):
        for plan, trials in found.items():
            tell(f"{plan}, {number} of {runs}")
            calm.wait()
            trials.append(_trial(plan))
    rows = [row for plan, trials in found.items() for row in _rows(plan, trials)]
    remarks = ("What a real cluster adds: full clones, the guests' own boot, packages that the template lacks.", calm.sentence())
    return Table("proxmox", TITLE, rows, remarks)


def _rows(plan: str, trials: list[dict[str, float]]) -> list[Row]:
    phases = [Row(f"{plan}: {phase}", collect(trials, phase), note=note) for phase, note in PHASES.items()]
    return [*phases, Row(f"{plan}: up", collect(trials, "up")), Row(f"{plan}: down", collect(trials, "down"))]


def _trial(plan: str) -> dict[str, float]:
    """In a process of its own: the rehearsal is under another licence, and nothing imports it."""
    command = [sys.executable, "-m", "tests.rehearsal", "measure", "--topology", plan]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    if done.returncode != 0:
        last = " / ".join(done.stderr.splitlines()[-LAST_LINES:])
        raise AcceptanceError(f"a lab of the topology {plan} could not be measured: {last}")
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return taken
