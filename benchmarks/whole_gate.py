"""All that a gate asks for on `production`: how long with one lab and with two, how much of it is waiting, and the lab's own targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.calm import Calm
from benchmarks.results import Row, Table
from benchmarks.soak.differences import record_of
from benchmarks.soak.document import Line
from benchmarks.soak.runs import Wanted, last_change
from benchmarks.soak.variants import VARIANTS, Variant
from model.topology import DEFAULT_TOPOLOGY, Role

TITLE = "The whole gate on `production`, labs included"
TARGET_SECONDS = {"one lab": 600.0, "two labs at once": 360.0}
VARIANTS_OF = {"one lab": VARIANTS["plain"], "two labs at once": VARIANTS["two-labs"]}
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
    """Take what soak runs measured since the suite was changed last, with one lab and with two, and make those that are missing."""
    found = {name: _runs(name, variant, runs, calm, tell) for name, variant in VARIANTS_OF.items()}
    rows = [Row(name, tuple(line.seconds for line, _ in done), target=TARGET_SECONDS[name]) for name, done in found.items()]
    one_lab = found["one lab"]
    waited = [(float(record["spent"]["waiting"]), line.seconds) for line, record in one_lab]
    rows += [
        Row(
            "one lab: – waiting",  # noqa: RUF001
            tuple(seconds for seconds, _ in waited),
            note="for something to come about, as the runs' records say",
        ),
        Row("one lab: share of that waiting", tuple(100 * seconds / whole for seconds, whole in waited), "%"),
        Row(
            "one lab: – scenarios in which storage machines fail",  # noqa: RUF001
            tuple(_at_the_store(record) for _, record in one_lab),
            note="each return takes 8 to 26 s ([0015](decisions/0015-a-storage-node-is-ready-when-it-sees-all-drives.md))",
        ),
        *_targets([record for done in found.values() for _, record in done]),
    ]
    digests = {line.digest for done in found.values() for line, _ in done}
    verdicts = "the same verdict in every scenario" if len(digests) == 1 else f"{len(digests)} different sets of verdicts"
    remarks = (
        f"All runs together: {verdicts}. They are runs of `make soak`, with a line each in [soak.md](soak.md).",
        "*Waiting*: for a fault to be noticed, for a machine to boot and be trusted again, for applies during an outage to end.",
    )
    return Table("whole-gate", TITLE, rows, remarks)


def _runs(name: str, variant: Variant, runs: int, calm: Calm, tell: Callable[[str], object]) -> list[tuple[Line, dict[str, Any]]]:
    """All runs of which the record is here, at least so many."""
    wanted = Wanted(variant, DEFAULT_TOPOLOGY, since=last_change())

    def there() -> list[tuple[Line, dict[str, Any]]]:
        return [(line, record) for line in wanted.there() if (record := record_of(line.seed)) is not None]

    while len(there()) < runs:
        tell(f"{name}, {len(there()) + 1} of {runs}")
        calm.wait()
        wanted.run()
    return there()


def _at_the_store(record: dict[str, Any]) -> float:
    """Seconds of all scenarios in which a storage machine was broken."""
    storage = {machine["name"] for machine in record["lab"]["machines"] if machine["role"] == Role.STORAGE}
    broken = [each for each in record["scenarios"] if any(storage.intersection(fault["machines"]) for fault in each["faults"])]
    return sum(float(each["seconds"]) for each in broken)


def _measurements(record: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Name, label of the fault and value of everything that was measured in seconds."""
    for scenario in record["scenarios"]:
        for entry in scenario["measurements"]:
            if entry["unit"] == "s":
                yield entry["name"], entry["labels"].get("fault", ""), float(entry["value"])


def _targets(records: Sequence[dict[str, Any]]) -> Iterator[Row]:
    values: dict[str, list[float]] = {what: [] for what in TARGETS}
    for record in records:
        for name, fault, value in _measurements(record):
            what = f"{name} ({fault})" if fault and name.endswith(AFTER) else name
            if what in values:
                values[what].append(value)
    return (Row(what, tuple(seen), target=TARGETS[what], note="" if seen else "never measured") for what, seen in values.items())
