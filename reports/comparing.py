"""What differs between two runs: verdicts, and numbers beyond noise.

Noise: a number is taken for changed when the medians of both runs are apart by more than 25 % of the greater one, by more than one
second (one, for numbers that are no times), and by more than either run scatters by itself where it measured several times.
Below a second, schedulers decide; a quarter is what the same lab on a busy host differs by from one run to the next.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from model.verdicts import Verdict
from reports.recorded import RecordedRun

SHARE, FLOOR = 0.25, 1.0
ABSENT = "not there"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was.

    Attributes:
        what: A check, a scenario or a number.
        before: In the first run.
        after: In the second one.
        worse: It is a verdict that got worse, or a number that moved towards its limit.
    """

    what: str
    before: str
    after: str
    worse: bool


def verdicts(before: RecordedRun, after: RecordedRun) -> Iterator[Difference]:
    """Checks, then scenarios, whose verdict differs."""

    def checks(run: RecordedRun) -> dict[str, tuple[str, Verdict]]:
        return {each.id: (each.words, each.verdict) for each in run.checks}

    def scenarios(run: RecordedRun) -> dict[str, tuple[str, Verdict]]:
        return {each.nodeid: (each.verdict.value, each.verdict) for each in run.scenarios}

    for kind, seen in (("check", checks), ("scenario", scenarios)):
        one, other = seen(before), seen(after)
        for name in dict.fromkeys([*one, *other]):
            was, now = one.get(name, (ABSENT, Verdict.NOT_RUN)), other.get(name, (ABSENT, Verdict.NOT_RUN))
            if was[0] != now[0]:
                yield Difference(f"{kind} {name}", was[0], now[0], now[1].severity > was[1].severity)


def numbers(before: RecordedRun, after: RecordedRun) -> Iterator[Difference]:
    """Numbers that both runs have and that differ beyond noise."""
    one, other = _series(before), _series(after)
    for key in one:
        if key not in other or not differ(one[key].values, other[key].values):
            continue
        name, scenario, unit, about = key
        was, now = statistics.median(one[key].values), statistics.median(other[key].values)
        what = f"{name}{f' ({about})' if about else ''} in {scenario}"
        yield Difference(what, f"{was:.3g} {unit}", f"{now:.3g} {unit}", (now > was) is (other[key].kind == "at most"))


def differ(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two series are apart by more than noise (see the module's text)."""
    was, now = statistics.median(one), statistics.median(other)
    noise = max(SHARE * max(abs(was), abs(now)), FLOOR, max(one) - min(one), max(other) - min(other))
    return abs(now - was) > noise


@dataclass(frozen=True)
class _Series:
    values: tuple[float, ...]
    kind: str


def _series(run: RecordedRun) -> dict[tuple[str, str, str, str], _Series]:
    found: dict[tuple[str, str, str, str], _Series] = {}
    for scenario in run.scenarios:
        for entry in scenario.measurements:
            key = (entry.name, scenario.nodeid, entry.unit, ", ".join(entry.labels.values()))
            known = found.get(key, _Series((), ""))
            found[key] = _Series((*known.values, entry.value), entry.limit.kind if entry.limit else "at most")
    return found
