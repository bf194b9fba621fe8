"""A deadline of a sentence is measured past its threshold, and judged only when our own clock was sound. No test sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from model import waiting
from model.errors import AcceptanceError, DeadlineMissed
from model.measurements import Measurement, MeasurementStream, at_most
from probes import stopwatch
from probes.stopwatch import Heartbeat, Stopwatch


class World:
    """A clock that moves only when somebody waits, and a heart that beats whenever it moves."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        """At an odd second, as a monotonic clock is."""
        self._now = 1000.0
        patch.setattr(stopwatch, "time", SimpleNamespace(monotonic=lambda: self._now))
        self.heartbeat, self.stream = Heartbeat(), MeasurementStream()
        self.stopwatch = Stopwatch(self.stream.measure, self.heartbeat)

    @property
    def now(self) -> float:
        """The moment; setting it is a beat."""
        return self._now

    @now.setter
    def now(self, moment: float) -> None:
        self._now = self.heartbeat._last = moment

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def await_at(self, moment: float, *, within: int = 10, since: float = 0.0, takes: float = 0.0, **more: Callable[[str], float]) -> str:
        """Await something that is true from a moment on (seconds after 1000)."""

        def observe() -> str:
            self.now += takes
            return "good" if self.now >= 1000 + moment else "bad"

        return self.stopwatch.await_promise(
            observe,
            lambda seen: seen == "good",
            what="it is good",
            within=within,
            since=1000 + since,
            name="good after",
            machine="runner02",
            **more,  # type: ignore[arg-type]
        )

    @property
    def measured(self) -> Measurement:
        (only,) = self.stream.collected
        return only


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(monkeypatch)
    assert waiting.wait_until.__kwdefaults__ is not None
    monkeypatch.setitem(waiting.wait_until.__kwdefaults__, "clock", waiting.Clock(lambda: made.now, made.pause))
    return made


def test_a_promise_that_is_kept_is_measured(world: World) -> None:
    assert world.await_at(4) == "good"
    assert world.measured.value == pytest.approx(4, abs=0.11)
    assert (world.measured.name, world.measured.unit, world.measured.limit) == ("good after", "s", at_most(10))
    assert world.measured.labels == {"machine": "runner02"}


def test_the_time_counts_from_the_fault_and_not_from_the_sentence(world: World) -> None:
    world.now += 3
    world.await_at(4, since=1)
    assert world.measured.value == pytest.approx(3, abs=0.11)


@pytest.mark.parametrize(("came_about", "took"), [(1002.5, 1.5), (1000.5, 0.0)])
def test_who_watched_all_the_time_says_when_it_came_about(world: World, came_about: float, took: float) -> None:
    world.await_at(4, since=1, came_about=lambda _: came_about)
    assert world.measured.value == took


def test_what_came_about_too_late_is_a_miss_by_that_time(world: World) -> None:
    with pytest.raises(DeadlineMissed, match=r"within 10 s; observed 12\.0 s of 10 s"):
        world.await_at(15, came_about=lambda _: 1012.0)


def test_a_miss_is_measured_past_its_threshold(world: World) -> None:
    with pytest.raises(DeadlineMissed, match=r"expected that it is good within 10 s; observed 14\.\d s of 10 s"):
        world.await_at(14)
    assert world.measured.value == pytest.approx(14, abs=0.11)
    assert world.measured.limit is not None
    assert not world.measured.limit.holds(world.measured.value)


def test_what_never_happens_ends_after_twice_the_time(world: World) -> None:
    with pytest.raises(DeadlineMissed, match=r"within 10 s; observed that it did not within 20\.\d s; last seen: bad$"):
        world.await_at(1000)
    assert world.measured.value == pytest.approx(20, abs=0.1)


def test_a_sentence_that_comes_too_late_still_looks_once(world: World) -> None:
    world.now += 30
    with pytest.raises(DeadlineMissed, match=r"observed 30\.0 s of 10 s"):
        world.await_at(0)
    world.stream.begin("another", ())
    with pytest.raises(DeadlineMissed, match=r"did not within 30\.0 s"):
        world.await_at(1000)
    assert len(world.stream.collected) == 1


def test_the_threshold_is_part_of_the_promise(world: World) -> None:
    world.now += 10
    assert world.await_at(0) == "good"


def test_a_slow_look_counts_as_time(world: World) -> None:
    with pytest.raises(DeadlineMissed, match=r"observed 11\.0 s of 10 s"):
        world.await_at(0, takes=11)


@pytest.mark.parametrize("moment", [14.0, 1000.0])
def test_a_miss_while_we_stalled_ourselves_is_nobodys(world: World, moment: float) -> None:
    world.heartbeat._gaps.append((1002.0, 1005.5))
    with pytest.raises(AcceptanceError, match=r"within 10 s; observed .* stalled for 3\.5 s meanwhile") as told:
        world.await_at(moment)
    assert not isinstance(told.value, AssertionError)
    assert len(world.stream.collected) == 1, "the number is told all the same"


def test_a_stall_before_the_fault_excuses_nothing(world: World) -> None:
    world.heartbeat._gaps.append((990.0, 999.0))
    with pytest.raises(DeadlineMissed):
        world.await_at(14)


def test_a_stall_does_not_spoil_a_promise_that_was_kept(world: World) -> None:
    world.heartbeat._gaps.append((1001.0, 1003.0))
    assert world.await_at(4) == "good"


def test_the_longest_stall_is_told() -> None:
    heartbeat = Heartbeat()
    heartbeat._last = time.monotonic()
    heartbeat._gaps += [(10.0, 12.0), (20.0, 25.0), (30.0, 31.5)]
    assert [heartbeat.longest_gap(since) for since in (0.0, 24.0, 26.0, 40.0)] == [5.0, 5.0, 1.5, 0.0]


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[float]], Heartbeat]:
    """A heartbeat that sees these moments, and its thread's work done."""

    def beat(moments: list[float]) -> Heartbeat:
        left = list(moments)
        now = SimpleNamespace(monotonic=lambda: left.pop(0) if left else moments[-1])
        monkeypatch.setattr(stopwatch, "time", now)
        heartbeat = Heartbeat()
        monkeypatch.setattr(heartbeat._stop, "wait", lambda _seconds: not left)
        heartbeat._beat()
        return heartbeat

    return beat


@pytest.mark.parametrize(
    ("moments", "gap"), [([0.0, 0.1, 0.2], 0.0), ([0.0, 1.0, 2.0], 0.0), ([0.0, 0.1, 1.2, 1.3], 1.1), ([0.0, 3.0, 3.1, 5.1], 3.0)]
)
def test_a_beat_that_comes_late_is_a_stall(beats: Callable[[list[float]], Heartbeat], moments: list[float], gap: float) -> None:
    assert beats(moments).longest_gap(0.0) == pytest.approx(gap)


def test_a_stall_that_lasts_is_told_before_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    heartbeat = Heartbeat()
    clock[0] += 1.5
    assert heartbeat.longest_gap(100.0) == pytest.approx(1.5)


def test_a_heartbeat_ends_with_its_context() -> None:
    started = time.monotonic()
    with Heartbeat() as heartbeat:
        assert any(thread.name == "heartbeat" for thread in threading.enumerate())
    assert not heartbeat._thread.is_alive()
    assert time.monotonic() - started < 8


def test_a_stall_is_as_long_as_several_beats() -> None:
    assert 0 < stopwatch.BEAT_SECONDS <= stopwatch.STALLED_SECONDS / 3
