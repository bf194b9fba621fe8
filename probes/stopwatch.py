"""Deadlines that a sentence promises: measured past the threshold, and only judged when our own clock was sound."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Self, TypeVar

from model.errors import AcceptanceError, DeadlineMissed
from model.measurements import Measurement, at_most
from model.waiting import wait_until

T = TypeVar("T")
BEAT_SECONDS = 0.1
STALLED_SECONDS = 1.0
"""A pause of ours as long as this makes a missed deadline inconclusive: the lab may have been in time."""

PAST = 2
"""How many times the threshold is waited for, so that a miss reads "41 s of 35 s"."""


def _now(_: object) -> float:
    return time.monotonic()


class Heartbeat:
    """A thread that beats ten times a second; a long gap means that this process could not observe anything."""

    def __init__(self) -> None:
        """Prepare; use it as a context manager."""
        self._gaps: list[tuple[float, float]] = []
        self._last = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            now = time.monotonic()
            if now - self._last > STALLED_SECONDS:
                self._gaps.append((self._last, now))
            self._last = now

    def longest_gap(self, since: float) -> float:
        """Longest stall that ended after a moment (monotonic seconds), or lasts; 0 when there was none over a second."""
        lasting = time.monotonic() - self._last
        stalls = [end - start for start, end in self._gaps if end > since]
        return max([*stalls, lasting] if lasting > STALLED_SECONDS else stalls, default=0.0)

    def __enter__(self) -> Self:
        """Begin to beat."""
        self._last = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join(timeout=STALLED_SECONDS)


class Stopwatch:
    """Waits for what a sentence promises within a time, and records how long it took."""

    def __init__(self, measure: Callable[..., Measurement], heartbeat: Heartbeat) -> None:
        """Measure into a stream, judged by a heartbeat."""
        self._measure, self._heartbeat = measure, heartbeat

    def await_promise(  # noqa: PLR0913 - each argument is one part of the sentence
        self,
        observe: Callable[[], T],
        ready: Callable[[T], bool],
        *,
        what: str,
        within: int,
        since: float,
        name: str,
        every: timedelta = timedelta(milliseconds=100),
        came_about: Callable[[T], float] = _now,
        **labels: str,
    ) -> T:
        """Wait, up to twice the threshold; measure; judge.

        Args:
            observe: Looks once.
            ready: Judges one observation.
            what: What is promised, as a clause ("runner02 is out of rotation").
            within: The threshold of the sentence, in seconds.
            since: When the time began (monotonic seconds).
            name: Of the measurement ("out of rotation after").
            every: Pause between two looks.
            came_about: When what was observed came about (monotonic seconds), where somebody else has watched all the time;
                the moment of the look unless given.
            **labels: Of the measurement.

        Returns:
            The observation that was ready.

        Raises:
            DeadlineMissed: It took longer, or did not happen within twice the time.
            AcceptanceError: It took longer, but this process itself was stalled meanwhile.
        """
        __tracebackhide__ = True
        left = timedelta(seconds=max(0.0, since + PAST * within - time.monotonic()))
        looks: deque[T] = deque(maxlen=1)

        def look() -> T:
            looks.append(observe())
            return looks[-1]

        try:
            waited = wait_until(look, ready, what=what, within=left, every=every)
        except DeadlineMissed as error:
            took = time.monotonic() - since
            self._measure(name, took, "s", at_most(within), **labels)
            raise self._miss(
                f"expected that {what} within {within} s; observed that it did not within {took:.1f} s; last seen: {looks[-1]}", since
            ) from error
        took = max(0.0, came_about(waited.value) - since)
        self._measure(name, took, "s", at_most(within), **labels)
        if took > within:
            raise self._miss(f"expected that {what} within {within} s; observed {took:.1f} s of {within} s", since)
        return waited.value

    def _miss(self, message: str, since: float) -> Exception:
        gap = self._heartbeat.longest_gap(since)
        if gap:
            return AcceptanceError(
                f"{message}; but this process itself stalled for {gap:.1f} s meanwhile, so that it could not have seen better"
            )
        return DeadlineMissed(message)
