"""Embedded labs: from nothing to everything serving, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import trials
from benchmarks.calm import Calm
from benchmarks.results import Row, Table

TITLE = "Embedded labs, from nothing to everything serving"


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Measure both topologies, with drives formatted earlier and from nothing, in turn."""
    kinds: dict[str, Callable[[], trials.Trial]] = {}
    for plan in trials.TARGET_UP:
        tell(f"{plan}: formatting its store's drives if they never were; this lab does not count")
        trials.embedded(plan)
        kinds[plan] = partial(trials.embedded, plan)
        kinds[f"{plan}, store from nothing"] = partial(trials.embedded, plan, fresh_store=True)
    found = trials.alternate(kinds, runs, calm, tell)
    rows: list[Row] = []
    for name, measured in found.items():
        plan = name.partition(",")[0]
        rows += trials.rows(name, measured, plan, targeted=name == plan)
    remarks = (
        "The phases follow one another and add up. Machines are booted as soon as they are laid out: a part of booting is in `layout`.",
        "*Store from nothing*: drives, bucket and the runners' user are made in each run; else drives that hold them are copied in.",
        calm.sentence(),
    )
    return Table("lab", TITLE, rows, remarks)
