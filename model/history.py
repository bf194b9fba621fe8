"""What continuous clients did, as a history: assertions are made on it, never on a single look.

All moments are seconds of `time.monotonic()`. *Opened after a fault* means started after its injection had returned;
what began before and was unfinished then is *in flight* and counted apart.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Self


class Outcome(StrEnum):
    """What a client knows of an operation of its own."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Operation:
    """One thing that a client did.

    Attributes:
        name: What it was (`connection`, `apply`, `read`).
        started: Monotonic seconds.
        ended: Monotonic seconds; infinite while it is under way.
        outcome: *unknown* while it is under way, and where nobody could say what became of it.
        who: The machine that answered; empty when none did, or none could be told.
        detail: In the client's words.
        labels: What tells it from its neighbours.
    """

    name: str
    started: float
    ended: float = math.inf
    outcome: Outcome = Outcome.UNKNOWN
    who: str = ""
    detail: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.outcome is Outcome.OK

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return math.isinf(self.ended)

    @property
    def seconds(self) -> float:
        """How long it took; infinite while it is under way."""
        return self.ended - self.started

    def precedes(self, other: Operation) -> bool:
        """Whether it ended before the other one started: only then do the two have an order in time."""
        return self.ended < other.started

    def __str__(self) -> str:
        """One line for a message."""
        took = "under way" if self.under_way else f"{self.seconds:.2f} s"
        return " ".join(
            part for part in (self.name, self.outcome, f"after {took}", f"by {self.who}" if self.who else "", self.detail) if part
        )


@dataclass(frozen=True)
class Gap:
    """A time in which nothing succeeded, from one success to the next (monotonic seconds)."""

    started: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.ended - self.started


class Operations(tuple[Operation, ...]):
    """Operations in the order in which they started; every query gives operations again, or a number."""

    __slots__ = ()

    def __new__(cls, operations: Iterable[Operation] = ()) -> Self:
        """Put them in order."""
        return super().__new__(cls, sorted(operations, key=lambda each: each.started))

    def where(self, wanted: Callable[[Operation], bool]) -> Operations:
        """Those that fit."""
        return Operations(each for each in self if wanted(each))

    def named(self, name: str) -> Operations:
        """Those of one name."""
        return self.where(lambda each: each.name == name)

    def labelled(self, **labels: str) -> Operations:
        """Those that carry all these labels."""
        return self.where(lambda each: labels.items() <= each.labels.items())

    def opened_before(self, moment: float) -> Operations:
        """Started before a moment, whenever they ended."""
        return self.where(lambda each: each.started < moment)

    def opened_after(self, moment: float) -> Operations:
        """Started at a moment or after it."""
        return self.where(lambda each: each.started >= moment)

    def in_flight_at(self, moment: float) -> Operations:
        """Started before a moment and unfinished then."""
        return self.where(lambda each: each.started < moment <= each.ended)

    def ended_before(self, moment: float) -> Operations:
        """Finished before a moment."""
        return self.where(lambda each: each.ended < moment)

    @property
    def ended(self) -> Operations:
        """Those that are finished."""
        return self.where(lambda each: not each.under_way)

    @property
    def ok(self) -> Operations:
        """Those that did what was asked."""
        return self.where(lambda each: each.outcome is Outcome.OK)

    @property
    def failed(self) -> Operations:
        """Those that did not."""
        return self.where(lambda each: each.outcome is Outcome.FAILED)

    @property
    def unknown(self) -> Operations:
        """Those of which nobody can say."""
        return self.where(lambda each: each.outcome is Outcome.UNKNOWN)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many of each outcome."""
        return Counter(each.outcome for each in self)

    def by_who(self) -> dict[str, Operations]:
        """By the machine that answered; what nobody answered stands under the empty name."""
        return {who: self.where(lambda each, who=who: each.who == who) for who in sorted({each.who for each in self})}  # type: ignore[misc]

    def longest(self) -> Operation | None:
        """The finished operation that took longest."""
        return max(self.ended, key=lambda each: each.seconds, default=None)

    def gaps_without_success(self, since: float, until: float, longer_than: timedelta = timedelta()) -> tuple[Gap, ...]:
        """Times in which nothing succeeded.

        Args:
            since: Where to begin (monotonic seconds); counts as a success.
            until: Where to end; counts as a success.
            longer_than: Shorter gaps are left out.
        """
        successes = sorted(each.ended for each in self.ok if since < each.ended < until)
        moments = [since, *successes, until]
        gaps = (Gap(start, end) for start, end in pairwise(moments))
        return tuple(gap for gap in gaps if gap.seconds > longer_than.total_seconds())

    def summary(self) -> str:
        """One line: how many, with which outcomes, answered by whom."""
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        answered = ", ".join(f"{who} {len(each)}" for who, each in self.by_who().items() if who)
        return f"{len(self)} operations: {outcomes or 'none'}" + (f"; answered by {answered}" if answered else "")


class Begun:
    """An operation under way; end it exactly once."""

    def __init__(self, history: History, operation: Operation) -> None:
        """Belong to a history."""
        self._history, self.operation = history, operation

    def end(
        self,
        outcome: Outcome,
        *,
        who: str = "",
        detail: str = "",
        ended: float | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Operation:
        """Say what became of it.

        Args:
            outcome: Its outcome.
            who: The machine that answered.
            detail: In the client's words.
            ended: Monotonic seconds; now unless given.
            labels: Added to those it began with.

        Returns:
            The finished operation. One that was given up before stays as it is: what came after the client was
            stopped is not part of its history.
        """
        now = self._history.now() if ended is None else ended
        done = replace(
            self.operation, ended=now, outcome=outcome, who=who, detail=detail, labels={**self.operation.labels, **(labels or {})}
        )
        return self._history.finish(self, done)


class History:
    """A record that any number of threads write; what is read from it is a snapshot.

    Attributes:
        name: Whose history, for people and for the name of the file.
    """

    def __init__(self, name: str, now: Callable[[], float] = time.monotonic) -> None:
        """Start empty."""
        self.name, self.now = name, now
        self.began, self._began_at = now(), datetime.now(tz=UTC)
        self._lock = threading.Lock()
        self._finished: list[Operation] = []
        self._begun: dict[Begun, Operation] = {}

    def __repr__(self) -> str:
        """Name and summary."""
        return f"<History {self.name}: {self.operations.summary()}>"

    def __iter__(self) -> Iterator[Operation]:
        """All operations up to now."""
        return iter(self.operations)

    def append(self, operation: Operation) -> Operation:
        """Record a finished operation."""
        with self._lock:
            self._finished.append(operation)
        return operation

    def begin(self, name: str, **labels: str) -> Begun:
        """Record that an operation begins now."""
        begun = Begun(self, Operation(name, self.now(), labels=labels))
        with self._lock:
            self._begun[begun] = begun.operation
        return begun

    def finish(self, begun: Begun, done: Operation) -> Operation:
        """Record that an operation ended; see `Begun.end`."""
        with self._lock:
            if self._begun.pop(begun, None) is not None:
                self._finished.append(done)
                begun.operation = done
        return begun.operation

    def give_up(self, detail: str) -> int:
        """End everything that is under way as *unknown*; return how many there were."""
        with self._lock:
            open_now = list(self._begun)
        for begun in open_now:
            begun.end(Outcome.UNKNOWN, detail=detail)
        return len(open_now)

    @property
    def operations(self) -> Operations:
        """A snapshot of all operations, those under way included."""
        with self._lock:
            return Operations([*self._finished, *self._begun.values()])

    def as_data(self) -> list[dict[str, Any]]:
        """Plain data, an entry per operation; seconds count from the beginning of the history."""
        return [
            {
                "name": each.name,
                "at": (self._began_at + timedelta(seconds=each.started - self.began)).isoformat(timespec="milliseconds"),
                "started": round(each.started - self.began, 4),
                "ended": None if each.under_way else round(each.ended - self.began, 4),
                "outcome": each.outcome.value,
                "who": each.who,
                "detail": each.detail,
                "labels": dict(each.labels),
            }
            for each in self.operations
        ]

    def as_json_lines(self) -> str:
        """One JSON object per line, in order; empty when nothing was done."""
        return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in self.as_data())
