"""Memory of a whole lab, by machine."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import trials
from benchmarks.calm import Calm
from benchmarks.results import Row, Table
from model.lab import Lab
from model.topology import DEFAULT_TOPOLOGY
from provisioning.embedded.cgroups import ROOT, Cgroup
from provisioning.embedded.machine import EmbeddedMachine

TITLE = "Memory of `production` when everything serves"
MIB = 2**20
PROGRAMS_OWN = ("anon", "total_rss")
"""Names of memory that programs hold for themselves, in version 2 and version 1 of control groups (kernel documentation)."""

Reading = dict[str, tuple[float, float]]
"""By machine: all that its control group is charged with, and its programs' own; MiB."""


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Read the control groups of several labs."""
    readings: list[Reading] = []
    for number in range(1, runs + 1):
        tell(f"lab {number} of {runs}")
        calm.wait()
        trials.embedded(DEFAULT_TOPOLOGY, work=lambda lab: readings.append(_read(lab)))
    rows = [
        Row("whole lab", tuple(sum(charged for charged, _ in reading.values()) for reading in readings), "MiB", note="page cache included"),
        Row("whole lab, programs' own", tuple(sum(own for _, own in reading.values()) for reading in readings), "MiB"),
        *(
            Row(name, tuple(reading[name][0] for reading in readings), "MiB", note=f"programs' own {_middle(readings, name):.0f} MiB")
            for name in readings[0]
        ),
    ]
    remarks = ("By the machines' control groups. A page of the shared image is charged to the machine that read it first, or to none.",)
    return Table("memory", TITLE, rows, remarks)


def _middle(readings: list[Reading], name: str) -> float:
    return Row(name, tuple(reading[name][1] for reading in readings)).median


def _read(lab: Lab) -> Reading:
    machines = [machine for machine in lab.machines.values() if isinstance(machine, EmbeddedMachine)]
    return {machine.name: (machine.cgroup.memory_bytes() / MIB, _own(machine.cgroup) / MIB) for machine in machines}


def _own(cgroup: Cgroup) -> float:
    unified = (ROOT / "cgroup.controllers").exists()
    statistics = (ROOT if unified else ROOT / "memory") / cgroup.path / "memory.stat"
    amounts = dict(line.split() for line in statistics.read_text().splitlines())
    return next(float(amounts[name]) for name in PROGRAMS_OWN if name in amounts)
