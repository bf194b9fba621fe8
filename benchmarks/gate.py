"""The guide's checklist on `production`, lab included: how long, and how much of it is waiting that nobody can avoid."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import suite
from benchmarks.calm import Calm
from benchmarks.detection import CheckSettings, Expected, read_settings
from benchmarks.moments import FIRST_SENTENCE, LAB_WANTED
from benchmarks.results import Row, Table
from benchmarks.trials import new_name
from model.lab import Lab
from model.topology import DEFAULT_TOPOLOGY, topology
from provisioning import drivers

TITLE = "The eight items of the guide's checklist on `production`, lab included"
CHECKLIST = ",".join(f"V{number}" for number in range(1, 9))
TARGET_SECONDS = 90
POOL = "tofu_runner_fleet"
CONFIGURATION = "/etc/haproxy/haproxy.cfg"
OUT, BACK = "out of rotation after", "used again after"
REFUSED, SILENT = "SSH stopped", "plug pulled"
UNMEASURED_WAIT = "the balancers have taken it out of rotation"
"""A sentence of V6 that waits for the same thing without a promise, and so records no number."""


@dataclass(frozen=True)
class Wait:
    """One wait for a balancer.

    Attributes:
        what: For which event.
        took: Seconds, as observed.
        expected: By the balancer's settings.
    """

    what: str
    took: float
    expected: Expected


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Run the checklist again and again, and compare its waits with the balancer's settings."""
    tell("reading the running balancer's settings")
    settings, balancers = _running_settings()
    done: list[suite.SuiteRun] = []
    for number in range(1, runs + 1):
        tell(f"checklist, {number} of {runs}")
        calm.wait()
        done.append(suite.run("--topology", DEFAULT_TOPOLOGY, "--check", CHECKLIST))
    waits = [list(_waits(run.record, settings, balancers)) for run in done]
    unavoidable = [sum(wait.expected.mean for wait in each) for each in waits]
    waited = [sum(wait.took for wait in each) for each in waits]
    rows = [
        Row("checklist, process start to end", tuple(run.seconds for run in done), target=TARGET_SECONDS),
        Row("– building the lab until it has settled", tuple(run.moments[FIRST_SENTENCE] - run.moments[LAB_WANTED] for run in done)),  # noqa: RUF001
        Row("– all scenarios, with repair and recovery", tuple(_in_scenarios(run.record) for run in done)),  # noqa: RUF001
        Row("– waiting for a balancer to see something", tuple(waited), note="in scenarios of V6 and V7"),  # noqa: RUF001
        Row("– the same by the balancer's own settings", tuple(unavoidable), note="on average; unavoidable"),  # noqa: RUF001
        Row(
            "share of unavoidable waiting",
            tuple(100 * by_settings / run.seconds for by_settings, run in zip(unavoidable, done, strict=True)),
            "%",
        ),
        *_per_event(waits),
    ]
    remarks = (
        f"Settings of the running balancers ({balancers}): {_told(settings)}; the formulas are in `benchmarks/detection.py`.",
        "*shut down*: sshd ends first (refused), then the machine falls silent; the settings allow what lies between the two.",
        "*used again* is seen by a client that connects over and over: up to a round through the fleet comes on top.",
        calm.sentence(),
    )
    return Table("gate", TITLE, rows, remarks)


def _in_scenarios(record: dict[str, Any]) -> float:
    return float(sum(scenario["seconds"] for scenario in record["scenarios"]))


def _per_event(waits: list[list[Wait]]) -> Iterator[Row]:
    for what in dict.fromkeys(wait.what for each in waits for wait in each):
        same = [wait for each in waits for wait in each if wait.what == what]
        yield Row(what, tuple(wait.took for wait in same), note=str(same[0].expected))


def _waits(record: dict[str, Any], settings: CheckSettings, balancers: int) -> Iterator[Wait]:
    for scenario in record["scenarios"]:
        for entry in scenario["measurements"]:
            fault = entry["labels"].get("fault", "")
            if entry["name"] == OUT:
                yield Wait(f"out of rotation, {fault}", entry["value"], _out(settings, balancers, fault))
            elif entry["name"] == BACK:
                yield Wait(f"used again, {fault}", entry["value"], settings.back())
        for sentence in scenario["sentences"]:
            if UNMEASURED_WAIT in sentence["text"]:
                yield Wait(f"out of rotation, {REFUSED} (V6)", sentence["seconds"], _out(settings, balancers, REFUSED))


def _out(settings: CheckSettings, balancers: int, fault: str) -> Expected:
    refused, silent = settings.out(balancers, silent=False), settings.out(balancers, silent=True)
    if fault in {REFUSED, SILENT}:
        return refused if fault == REFUSED else silent
    return Expected(refused.least, statistics.mean((refused.mean, silent.mean)), silent.most)


def _running_settings() -> tuple[CheckSettings, int]:
    driver = drivers.embedded()
    lab: Lab = driver.provision(topology(DEFAULT_TOPOLOGY), new_name())
    try:
        text = lab.balancers[0].run(f"cat {CONFIGURATION}").stdout
    finally:
        driver.remove(lab)
    return read_settings(text, POOL), len(lab.balancers)


def _told(settings: CheckSettings) -> str:
    pauses = f"inter {settings.inter:g} s, fastinter {settings.fastinter:g} s, downinter {settings.downinter:g} s"
    return f"{pauses}, rise {settings.rise}, fall {settings.fall}, timeout connect {settings.timeout_connect:g} s"
