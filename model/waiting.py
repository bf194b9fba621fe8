"""One way to wait: with a deadline, failing fast, naming the last observation."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from model.errors import DeadlineMissed

T = TypeVar("T")
log = logging.getLogger(__name__)
SHORTEST_PAUSE = 0.001
"""Seconds; a clock that counts in steps must move between two looks."""


@dataclass(frozen=True)
class Clock:
    """Where time comes from; tests hand in one that does not sleep."""

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


REAL_CLOCK = Clock()


class Waits(threading.local):
    """What the current thread spent waiting.

    Attributes:
        seconds: In all, waits inside of waits not counted twice.
    """

    seconds = 0.0
    _depth = 0

    @contextmanager
    def counted(self, now: Callable[[], float]) -> Iterator[None]:
        """Count what happens inside."""
        started, self._depth = now(), self._depth + 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.seconds += now() - started


WAITS = Waits()


@dataclass(frozen=True)
class Waited(Generic[T]):
    """What a wait ended with."""

    value: T
    elapsed: timedelta


def wait_until(  # noqa: PLR0913 - each argument is one sentence of the contract
    observe: Callable[[], T],
    ready: Callable[[T], bool],
    *,
    what: str,
    within: timedelta,
    every: timedelta = timedelta(milliseconds=200),
    in_a_row: int = 1,
    give_up_when: Callable[[T], bool] | None = None,
    error: type[Exception] = DeadlineMissed,
    clock: Clock = REAL_CLOCK,
) -> Waited[T]:
    """Observe again and again until the observation is ready.

    Args:
        observe: Looks once; what it raises ends the wait at once.
        ready: Judges one observation.
        what: What is awaited, as a clause for the error ("the runner is out of rotation").
        within: Deadline, counted from the call; the first look always happens, and no good row begins after the deadline:
            a look that began in time counts, however long it takes, and so does a row that it began.
        every: Pause between two looks; the one before the deadline is cut short, so that the last look is at the deadline.
        in_a_row: How many ready observations in a row are wanted.
        give_up_when: A bad state from which waiting cannot lead to a good one.
        error: Raised when the deadline is missed or a bad state is seen.
        clock: Source of time.

    Returns:
        The last observation, and the time until the first of the good row.

    Raises:
        DeadlineMissed: (or `error`) with the awaited, the deadline and the last observation.
    """
    __tracebackhide__ = True
    with WAITS.counted(clock.now):
        return _wait(observe, ready, what, within, every, in_a_row, give_up_when, error, clock)


def _wait(  # noqa: PLR0913, PLR0917 - see `wait_until`
    observe: Callable[[], T],
    ready: Callable[[T], bool],
    what: str,
    within: timedelta,
    every: timedelta,
    in_a_row: int,
    give_up_when: Callable[[T], bool] | None,
    error: type[Exception],
    clock: Clock,
) -> Waited[T]:
    __tracebackhide__ = True
    start = clock.now()
    row, row_started, seen = 0, start, None
    while True:
        looked = clock.now()
        value = observe()
        if value != seen:
            log.debug("waiting until %s: %s", what, value)
            seen = value
        if ready(value):
            row_started = looked if row == 0 else row_started
            row += 1
            if row >= in_a_row:
                return Waited(value, timedelta(seconds=row_started - start))
        else:
            row = 0
        elapsed = clock.now() - start
        if give_up_when is not None and give_up_when(value):
            raise error(f"expected that {what} within {within.total_seconds():g} s, but it cannot any more; after {elapsed:.1f} s: {value}")
        if elapsed >= within.total_seconds() and row == 0:
            raise error(f"expected that {what} within {within.total_seconds():g} s; last seen after {elapsed:.1f} s: {value}")
        left = within.total_seconds() - elapsed
        clock.pause(every.total_seconds() if row else min(every.total_seconds(), max(left, SHORTEST_PAUSE)))
