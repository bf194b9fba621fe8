"""A paced client holds its rate however long operations take, bounded in number and time."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from model.errors import AcceptanceError
from model.history import Begun, Outcome
from probes.clients.paced import PacedClient

EVERY = timedelta(milliseconds=20)
ENOUGH = timedelta(seconds=5)


class Stub(PacedClient):
    """Does what a function does."""

    def __init__(self, seconds: float = 0.0, at_once: int = 50, error: Exception | None = None, **bounds: object) -> None:
        """Plan what it does."""
        super().__init__("stub", EVERY, at_once=at_once, **bounds)  # type: ignore[arg-type]
        self.seconds, self.error, self.release = seconds, error, threading.Event()

    def begin(self, number: int, **labels: str) -> Begun:
        return self.history.begin("turn", number=str(number), **labels)

    def work(self, begun: Begun, number: int) -> None:
        if self.error is not None:
            raise self.error
        self.release.wait(self.seconds)
        begun.end(Outcome.OK)


def test_the_next_turn_comes_although_none_has_ended() -> None:
    with Stub(seconds=60) as client:
        ends = time.monotonic() + ENOUGH.total_seconds()
        while len(client.operations) < 10 and time.monotonic() < ends:
            threading.Event().wait(0.01)
        seen = client.operations
        client.release.set()
    assert len(seen) >= 10
    assert all(each.under_way for each in seen)


def test_a_turn_without_a_free_place_is_left_out_and_counted() -> None:
    with Stub(seconds=5, at_once=2) as client:
        time_out = time.monotonic() + 5
        while client.left_out < 3 and time.monotonic() < time_out:
            threading.Event().wait(0.01)
        assert len(client.operations) == 2
        assert client.left_out >= 3
        client.release.set()


class SlowFirst(Stub):
    """Only its first turn takes long."""

    def work(self, begun: Begun, number: int) -> None:
        threading.Event().wait(0.3 if number == 0 else 0)
        super().work(begun, number)


def test_nothing_is_caught_up_in_a_burst() -> None:
    """While the first turn went on, fifteen were due; a busy host may start one late, but not ten at once."""
    with SlowFirst(at_once=1) as client:
        client.await_ended(11, since=0, within=ENOUGH)
    first, *others = client.operations[:11]
    assert client.left_out >= 5
    assert first.ended is not None
    lasted = others[-1].started - first.ended
    assert len(others) <= lasted / EVERY.total_seconds() + 4


def test_it_ends_by_itself_after_so_many() -> None:
    client = Stub(most=3).start()
    client.await_ended(3, since=0, within=ENOUGH)
    assert client._scheduler is not None
    client._scheduler.join(5)
    assert not client.running
    assert len(client.operations) == 3


def test_it_ends_by_itself_after_so_long() -> None:
    client = Stub(longest=timedelta(milliseconds=70)).start()
    assert client._scheduler is not None
    client._scheduler.join(5)
    client.stop()
    assert 1 <= len(client.operations) <= 4


@pytest.mark.parametrize(("at_once", "taken"), [(50, 21), (1, 1)])
def test_each_turn_is_taken_or_counted_as_left_out(at_once: int, taken: int) -> None:
    """A host that stalls adds turns beyond the end, to those that were left out."""
    client = Stub(seconds=60 if at_once == 1 else 0, at_once=at_once, longest=timedelta(milliseconds=410))
    assert client.left_out == 0
    with client:
        assert client._scheduler is not None
        client._scheduler.join(10)
        client.release.set()
    assert len(client.operations) <= taken
    assert 21 <= len(client.operations) + client.left_out <= 36


class Sleepy(threading.Event):
    """Every wait is five turns too long."""

    def wait(self, timeout: float | None = None) -> bool:
        del timeout
        return super().wait(0.11)


class Noted(Stub):
    """Notes when each turn was due, and how late that was."""

    def _turn(self, number: int, due: float) -> None:
        self.late = [*getattr(self, "late", []), time.monotonic() - due]
        self.daemons = {*getattr(self, "daemons", set()), threading.current_thread().daemon}
        super()._turn(number, due)


def test_turns_that_were_slept_through_are_left_out_and_the_next_one_is_not_late() -> None:
    client = Noted(most=4)
    client._stopping = Sleepy()
    with client:
        client.await_ended(4, since=0, within=ENOUGH)
    assert client.left_out >= 12
    assert min(client.late) >= 0
    assert min(client.late) < 0.1
    assert client.daemons == {True}
    assert client._scheduler is not None
    assert client._scheduler.daemon


def test_a_turn_that_begins_late_says_how_late() -> None:
    client = Stub()
    for number, late in enumerate((0.0, 0.2)):
        client._slots.acquire()
        client._turn(number, time.monotonic() - late)
    punctual, tardy = client.operations
    assert "late" not in punctual.labels
    assert 0.2 <= float(tardy.labels["late"].removesuffix(" s")) < 1


def test_what_ends_soon_after_it_is_stopped_is_waited_for() -> None:
    client = Stub(seconds=0.3, most=1).start()
    while not client.operations:
        threading.Event().wait(0.005)
    client.stop(ENOUGH)
    assert [each.outcome for each in client.operations] == [Outcome.OK]


@pytest.mark.parametrize(
    ("thread", "message"), [("stub", "'stub' cannot start: no more"), ("stub 0", "'stub' broke.*no thread could be started: no more")]
)
def test_a_thread_that_cannot_be_started_is_no_verdict_about_the_lab(monkeypatch: pytest.MonkeyPatch, thread: str, message: str) -> None:
    start = threading.Thread.start

    def refuse(self: threading.Thread) -> None:
        if self.name == thread:
            msg = "no more"
            raise RuntimeError(msg)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(AcceptanceError, match=message), Stub() as client:
        client.await_ended(1, since=0, within=ENOUGH)


def test_of_several_errors_of_ours_the_first_is_told() -> None:
    client = Stub()
    client.broken += ["the cause", "what followed"]
    with pytest.raises(AcceptanceError, match=r"the cause$"):
        client.check()


def test_what_is_under_way_when_it_is_stopped_is_unknown_and_stopping_is_bounded() -> None:
    client = Stub(seconds=5, at_once=1).start()
    while not client.operations:
        threading.Event().wait(0.005)
    began = time.monotonic()
    client.stop(timedelta(milliseconds=100))
    assert time.monotonic() - began < 4
    assert [each.outcome for each in client.operations] == [Outcome.UNKNOWN]
    client.release.set()
    client.stop()
    assert [each.outcome for each in client.operations] == [Outcome.UNKNOWN]


def test_stopping_what_was_never_started_does_no_harm() -> None:
    client = Stub()
    client.stop()
    assert not client.operations


def test_an_error_of_ours_is_told_and_dies_in_no_thread() -> None:
    client = Stub(error=ValueError("wrong")).start()
    with pytest.raises(AcceptanceError, match=r"'stub' broke.*ValueError: wrong"):
        client.await_ended(1, since=0, within=ENOUGH)
    client.stop()


def test_too_few_operations_are_no_verdict_about_the_lab() -> None:
    with Stub(most=1) as client, pytest.raises(AcceptanceError, match=r"2 operations of the client 'stub' have ended within 0\.2 s"):
        client.await_ended(2, since=0, within=timedelta(milliseconds=200))


def test_it_cannot_be_started_twice() -> None:
    with Stub() as client, pytest.raises(AcceptanceError, match="started before"):
        client.start()


@pytest.mark.parametrize(("every", "at_once"), [(timedelta(), 1), (timedelta(seconds=-1), 1), (EVERY, 0)])
def test_a_pace_that_is_none_is_refused(every: timedelta, at_once: int) -> None:
    class Other(Stub):
        def __init__(self) -> None:
            PacedClient.__init__(self, "stub", every, at_once=at_once)

    with pytest.raises(AcceptanceError, match="cannot work"):
        Other()
