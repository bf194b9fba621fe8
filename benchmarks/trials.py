"""One lab from nothing to everything serving and back to nothing, by phase; and kinds of labs measured side by side."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.calm import Calm
from benchmarks.results import Row, collect
from benchmarks.serving import Serving, await_serving, inside
from model.lab import Lab
from model.topology import topology
from provisioning import drivers

Trial = dict[str, float]
"""Seconds by phase."""

PHASES = {
    "prepare": "keys, host CA, the lab's network",
    "layout": "disks with their configuration",
    "boot": "until every machine's systemd (or every container) has started",
    "store": "until every storage machine says that it can write",
    "address": "until SSH and S3 answer through their endpoints",
    "look": "until one look at every machine finds nothing that does not serve",
}
UP, DOWN = "up, all serving", "down"
TARGET_UP = {"production": 5.0, "single": 3.0}
TARGET_DOWN = 1.0


def new_name() -> str:
    """A name for a lab that is measured."""
    return f"bench-{secrets.token_hex(3)}"


def embedded(plan: str, *, fresh_store: bool = False, work: Callable[[Lab], object] | None = None) -> Trial:
    """Measure one embedded lab.

    Args:
        plan: Name of the topology.
        fresh_store: Lay the state store out from nothing instead of from drives formatted earlier.
        work: Done with the lab, inside its network, once everything serves; not in any phase.
    """
    driver = drivers.embedded(fresh_store=fresh_store)
    begun = time.monotonic()
    lab = driver.provision(topology(plan), new_name())
    provisioned = time.monotonic()
    try:
        serving = inside(lambda: driver.enter(lab), lambda: await_serving(lab))
        if work is not None:
            inside(lambda: driver.enter(lab), lambda: work(lab))
    finally:
        ending = time.monotonic()
        driver.remove(lab)
    return trial(provisioned - begun, lab.phases, serving, time.monotonic() - ending)


def trial(provisioned: float, phases: Mapping[str, float], serving: Serving, down: float) -> Trial:
    """Put the phases of one lab in order.

    Args:
        provisioned: Seconds until the driver handed the lab over.
        phases: As the driver measured them: `layout`, `boot`, and `store set up` where the store was laid out from nothing.
        serving: As seen afterwards.
        down: Seconds until nothing of the lab was left.
    """
    set_up = phases.get("store set up", 0.0)
    return {
        "prepare": provisioned - phases["layout"] - phases["boot"] - set_up,
        "layout": phases["layout"],
        "boot": phases["boot"],
        "store": set_up + serving.store,
        "address": serving.address - serving.store,
        "look": serving.everything - serving.address,
        UP: provisioned + serving.everything,
        DOWN: down,
    }


def alternate(kinds: Mapping[str, Callable[[], Trial]], runs: int, calm: Calm, tell: Callable[[str], object]) -> dict[str, list[Trial]]:
    """Measure kinds of labs in turn, so that what disturbs the host disturbs all of them.

    Args:
        kinds: What to measure, by name.
        runs: Rounds; each kind is measured once in each.
        calm: Waits before each.
        tell: Is told what begins.
    """
    found: dict[str, list[Trial]] = {name: [] for name in kinds}
    for number in range(1, runs + 1):
        for name, measure in kinds.items():
            tell(f"{name}, {number} of {runs}")
            calm.wait()
            found[name].append(measure())
    return found


def rows(name: str, trials: Sequence[Trial], plan: str, *, targeted: bool = True) -> list[Row]:
    """Rows of one kind of lab: the whole, its phases, and the way down."""
    up = Row(f"{name}: {UP}", collect(trials, UP), target=TARGET_UP[plan] if targeted else None)
    parts = [Row(f"{name}: – {phase}", collect(trials, phase), note=meaning) for phase, meaning in PHASES.items()]  # noqa: RUF001
    return [up, *parts, Row(f"{name}: {DOWN}", collect(trials, DOWN), target=TARGET_DOWN if targeted else None)]
