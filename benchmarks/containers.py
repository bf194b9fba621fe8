"""The same nine services as plain containers, in turn with the embedded lab."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks import trials
from benchmarks.calm import Calm
from benchmarks.plain import Engine, PlainContainers, find_engine
from benchmarks.results import Row, Table
from benchmarks.serving import await_serving, inside
from model.errors import AcceptanceError
from model.topology import DEFAULT_TOPOLOGY, topology
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork

TITLE = "The same nine services as plain containers without systemd, side by side"
EMBEDDED, PLAIN = "embedded", "containers"


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Measure `production` as machines with systemd and as plain containers, in turn; say why where no engine works."""
    try:
        engine = find_engine()
    except AcceptanceError as error:
        return Table("containers", TITLE, [Row(f"{PLAIN}: {trials.UP}", note=f"no container engine works here: {error}")])
    tell("formatting the store's drives if they never were; this lab does not count")
    trials.embedded(DEFAULT_TOPOLOGY)
    kinds = {EMBEDDED: partial(trials.embedded, DEFAULT_TOPOLOGY), PLAIN: partial(plain, engine)}
    found = trials.alternate(kinds, runs, calm, tell)
    rows = trials.rows(EMBEDDED, found[EMBEDDED], DEFAULT_TOPOLOGY) + trials.rows(PLAIN, found[PLAIN], DEFAULT_TOPOLOGY, targeted=False)
    remarks = (
        f"Containers: {engine}, each with its service in the foreground and sshd beside it; started all at once.",
        "Same root file system, files, drives, addresses, namespaces and condition; no systemd, journal, reboot or power in them.",
        calm.sentence(),
    )
    return Table("containers", TITLE, rows, remarks)


def plain(engine: Engine) -> trials.Trial:
    """Measure one lab of plain containers."""
    containers = PlainContainers(engine, topology(DEFAULT_TOPOLOGY), LabNames(trials.new_name()))
    try:
        begun = time.monotonic()
        lab = containers.up()
        provisioned = time.monotonic()
        serving = inside(LabNetwork(containers.names).enter, lambda: await_serving(lab))
    finally:
        ending = time.monotonic()
        containers.down()
    return trials.trial(provisioned - begun, lab.phases, serving, time.monotonic() - ending)
