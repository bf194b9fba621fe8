"""A client that begins an operation at a fixed rate, however long operations take.

Each operation has a thread of its own, started (through one scheduling thread) from the thread that starts the client:
threads inherit its network namespace. When as many operations as allowed are under way, a turn is left out and counted;
nothing is caught up in a burst, for a burst would be another load than the one that was asked for.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Self

from model.errors import AcceptanceError
from model.history import Begun, History, Operations
from model.waiting import wait_until

STOP_WITHIN = timedelta(seconds=3)
LONGEST = timedelta(minutes=10)
MOST = 10_000
LATE_SECONDS = 0.05
"""A turn that began later than this after it was due says so in a label."""


class Client(ABC):
    """What every continuous client has: a history, a beginning and an end.

    Attributes:
        history: What it did.
        broken: What our own code did wrong, if it did: the history then says nothing.
    """

    def __init__(self, name: str) -> None:
        """Prepare; nothing is done yet."""
        self.history = History(name)
        self.broken: list[str] = []

    def __repr__(self) -> str:
        """Kind and history."""
        return f"<{type(self).__name__} {self.history.name}: {self.operations.summary()}>"

    @property
    def operations(self) -> Operations:
        """A snapshot of what it did."""
        return self.history.operations

    @abstractmethod
    def start(self) -> Self:
        """Begin, in the network of the calling thread.

        Raises:
            AcceptanceError: It cannot begin.
        """

    @abstractmethod
    def stop(self, within: timedelta = STOP_WITHIN) -> None:
        """End; what is still under way after a while is recorded as *unknown*. Safe to repeat, never raises."""

    def check(self) -> None:
        """Raise unless the client itself worked.

        Raises:
            AcceptanceError: It broke: its history says nothing about the lab.
        """
        if self.broken:
            msg = f"the client '{self.history.name}' broke, so its history says nothing about the lab: {self.broken[0]}"
            raise AcceptanceError(msg)

    def await_ended(self, count: int, *, since: float, within: timedelta) -> Operations:
        """Wait until so many operations that were opened since a moment have ended, however they ended.

        Args:
            count: How many.
            since: Monotonic seconds.
            within: Deadline; bounds our patience, no promise.

        Raises:
            AcceptanceError: There were not as many, or the client broke.
        """
        seen = wait_until(
            lambda: len(self.operations.opened_after(since).ended),
            lambda ended: ended >= count or bool(self.broken),
            what=f"{count} operations of the client '{self.history.name}' have ended",
            within=within,
            every=timedelta(milliseconds=50),
            error=AcceptanceError,
        )
        self.check()
        if seen.value < count:  # pragma: no cover - broken and repaired between two looks cannot be
            msg = f"only {seen.value} of {count} operations have ended"
            raise AcceptanceError(msg)
        return self.operations.opened_after(since).ended

    def __enter__(self) -> Self:
        """Begin."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """End."""
        self.stop()


class PacedClient(Client):
    """Begins an operation every so often.

    Attributes:
        every: Time between two beginnings.
        at_once: How many operations may be under way.
        most: After so many the client ends by itself.
        longest: After so long the client ends by itself.
        left_out: Turns that were left out, as too many operations were under way or this process was stalled.
    """

    def __init__(self, name: str, every: timedelta, *, at_once: int, most: int = MOST, longest: timedelta = LONGEST) -> None:
        """Set the pace.

        Raises:
            AcceptanceError: It is no pace.
        """
        super().__init__(name)
        if every <= timedelta() or at_once < 1:
            msg = f"the client '{name}' cannot work every {every.total_seconds():g} s with {at_once} operations at once"
            raise AcceptanceError(msg)
        self.every, self.at_once, self.most, self.longest = every, at_once, most, longest
        self.left_out = 0
        self._slots = threading.BoundedSemaphore(at_once)
        self._stopping = threading.Event()
        self._scheduler: threading.Thread | None = None
        self._workers: set[threading.Thread] = set()

    @abstractmethod
    def begin(self, number: int, **labels: str) -> Begun:
        """Record the beginning of an operation; called by its own thread."""

    @abstractmethod
    def work(self, begun: Begun, number: int) -> None:
        """Do one operation to its end, bounded in time, and record what became of it."""

    def start(self) -> Self:
        """Begin, in the network of the calling thread."""
        if self._scheduler is not None:
            msg = f"the client '{self.history.name}' was started before"
            raise AcceptanceError(msg)
        self._scheduler = threading.Thread(target=self._schedule, name=self.history.name, daemon=True)
        try:
            self._scheduler.start()
        except RuntimeError as error:
            msg = f"the client '{self.history.name}' cannot start: {error}"
            raise AcceptanceError(msg) from error
        return self

    @property
    def running(self) -> bool:
        """Whether it still begins operations."""
        return self._scheduler is not None and self._scheduler.is_alive()

    def stop(self, within: timedelta = STOP_WITHIN) -> None:
        """Begin nothing more; what is under way after `within` is recorded as *unknown*."""
        self._stopping.set()
        ends = time.monotonic() + within.total_seconds()
        if self._scheduler is not None and self._scheduler.is_alive():
            self._scheduler.join(within.total_seconds())
        for worker in list(self._workers):
            worker.join(max(ends - time.monotonic(), 0))
        self.history.give_up("not ended when the client was stopped")

    def _schedule(self) -> None:
        began = time.monotonic()
        pause = self.every.total_seconds()
        turn = number = 0
        while number < self.most and not self._stopping.is_set():
            due = began + turn * pause
            if due - began > self.longest.total_seconds() or self._stopping.wait(max(due - time.monotonic(), 0)):
                return
            passed = int((time.monotonic() - due) / pause)
            self.left_out += passed
            turn += passed + 1
            if not self._slots.acquire(blocking=False):
                self.left_out += 1
                continue
            worker = threading.Thread(
                target=self._turn, args=(number, due + passed * pause), name=f"{self.history.name} {number}", daemon=True
            )
            self._workers.add(worker)
            number += 1
            try:
                worker.start()
            except RuntimeError as error:
                self._workers.discard(worker)
                self.broken.append(f"no thread could be started: {error}")
                return

    def _turn(self, number: int, due: float) -> None:
        try:
            late = time.monotonic() - due
            labels = {"late": f"{late:.3f} s"} if late > LATE_SECONDS else {}
            if not self._stopping.is_set():
                self.work(self.begin(number, **labels), number)
        except Exception as error:  # noqa: BLE001 - whatever our code does wrong must be told, and not die in a thread
            self.broken.append(f"{type(error).__name__}: {error}")
        finally:
            self._workers.discard(threading.current_thread())
            self._slots.release()
