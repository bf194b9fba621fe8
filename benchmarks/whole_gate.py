"""All that a gate asks for on `production`: how long with one lab and with two, how much of it is waiting, and the lab's own targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks import suite
from benchmarks.calm import Calm
from benchmarks.results import Row, Table
from benchmarks.soak.document import digest_of
from model.topology import DEFAULT_TOPOLOGY

TITLE = "The whole gate on `production`, labs included"
TARGET_SECONDS = {"one lab": 600.0, "two labs at once": 360.0}
OPTIONS: dict[str, tuple[str, ...]] = {"one lab": (), "two labs at once": ("-n", "2")}
TARGETS = {
    "address moved after (plug pulled)": 1.0,
    "address moved after (stopped)": 1.0,
    "address moved after (keepalived stopped)": 1.0,
    "address moved after (frozen)": None,
    "out of rotation after (plug pulled)": 6.0,
    "longest apply": 20.0,
}
"""Seconds that the reference configuration should need; what the sentences allow is more, and no test asks for these."""

AFTER = " after"


def measure(runs: int, calm: Calm, tell: Callable[[str], object]) -> Table:
    """Run the gate in turn with one lab and with two, and read what it measured."""
    found: dict[str, list[suite.SuiteRun]] = {name: [] for name in OPTIONS}
    for number in range(1, runs + 1):
        for name, options in OPTIONS.items():
            tell(f"{name}, {number} of {runs}")
            calm.wait()
            found[name].append(suite.run("--topology", DEFAULT_TOPOLOGY, *options))
    rows = [Row(name, tuple(run.seconds for run in done), target=TARGET_SECONDS[name]) for name, done in found.items()]
    records = [run.record for run in found["one lab"]]
    waited = [sum(_waits(record)) for record in records]
    rows += [
        Row("one lab: – waiting for what sentences promise", tuple(waited), note="until it is seen, by the clock of each sentence"),  # noqa: RUF001
        Row(
            "one lab: share of that waiting", tuple(100 * one / run.seconds for one, run in zip(waited, found["one lab"], strict=True)), "%"
        ),
        *_targets([run.record for done in found.values() for run in done]),
    ]
    digests = {digest_of(run.record) for done in found.values() for run in done}
    verdicts = "the same verdict in every scenario" if len(digests) == 1 else f"{len(digests)} different sets of verdicts"
    remarks = (
        f"All runs together: {verdicts}.",
        "*Waiting* is the sum of all times from a fault to what a sentence promises of it, mostly detection by the balancers' settings.",
        calm.sentence(),
    )
    return Table("whole-gate", TITLE, rows, remarks)


def _measurements(record: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Name, label of the fault and value of everything that was measured in seconds."""
    for scenario in record["scenarios"]:
        for entry in scenario["measurements"]:
            if entry["unit"] == "s":
                yield entry["name"], entry["labels"].get("fault", ""), float(entry["value"])


def _waits(record: dict[str, Any]) -> Iterator[float]:
    return (value for name, _, value in _measurements(record) if name.endswith(AFTER))


def _targets(records: Sequence[dict[str, Any]]) -> Iterator[Row]:
    values: dict[str, list[float]] = {what: [] for what in TARGETS}
    for record in records:
        for name, fault, value in _measurements(record):
            what = f"{name} ({fault})" if fault and name.endswith(AFTER) else name
            if what in values:
                values[what].append(value)
    return (Row(what, tuple(seen), target=TARGETS[what], note="" if seen else "never measured") for what, seen in values.items())
