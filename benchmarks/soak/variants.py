"""Conditions that must not change a verdict."""

from __future__ import annotations

import os
from dataclasses import dataclass

from benchmarks.suite import PYTEST


@dataclass(frozen=True)
class Variant:
    """How the gate is run.

    Attributes:
        name: For the command line.
        what: For people.
        labs: How many at once.
        load: Cores that are kept busy meanwhile.
        order: Of the scenarios, as in `pytest --order`.
        rehearsed: Whether labs are VMs of a stand-in of Proxmox VE.
    """

    name: str
    what: str
    labs: int = 1
    load: int = 0
    order: str = "written"
    rehearsed: bool = False

    def options(self, topology: str) -> tuple[str, ...]:
        """For pytest."""
        workers = ("-n", str(self.labs)) if self.labs > 1 else ()
        plan = () if self.rehearsed else ("--topology", topology)
        return (*plan, *workers, "--order", self.order)

    def program(self, topology: str) -> tuple[str, ...]:
        """What is run."""
        return ("tests.rehearsal", "run", "--topology", topology) if self.rehearsed else PYTEST

    def place(self, topology: str) -> str:
        """How the document calls its labs."""
        return f"{topology}, rehearsed" if self.rehearsed else topology


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("plain", "one lab, in the order in which features are written"),
        Variant("load", "every core is busy with an endless loop meanwhile", load=os.cpu_count() or 1),
        Variant("busy-core", "two labs at once, and one core is busy with an endless loop meanwhile", labs=2, load=1),
        Variant("two-labs", "two labs at once, each with half of the scenarios", labs=2),
        Variant("rehearsed", "one lab, as VMs of a stand-in of Proxmox VE (wants `make proxmox`)", rehearsed=True),
        Variant("random", "two labs at once, scenarios in an order by chance", labs=2, order="random"),
    )
}
