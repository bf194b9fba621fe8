"""Waiting has a deadline, fails fast, and says what was awaited and what was seen last. No test sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from model.errors import DeadlineMissed, LabUnavailable, PromiseBroken
from model.waiting import WAITS, Clock, Waited, Waits, wait_until

SECOND = timedelta(seconds=1)
CLOCK_STEP = timedelta(seconds=0.01)
"""How far over the deadline a look may begin."""


@dataclass
class FakeTime:
    """A clock that moves when somebody pauses, and when a look takes its time."""

    now: float = 1_000_000.0
    pauses: list[float] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.pause)

    def pause(self, seconds: float) -> None:
        assert seconds > 0, "a pause that does not move the clock would never end"
        assert len(self.pauses) < 1000, "waited for ever"
        self.pauses.append(seconds)
        self.now += seconds

    def sees(self, observations: Iterable[object], *, takes: float = 0.0) -> Callable[[], object]:
        """Looks at one observation after another, and at the last one for ever."""
        left, started = list(observations), self.now

        def look() -> object:
            self.looks.append(round(self.now - started, 2))
            self.now += takes
            return left.pop(0) if len(left) > 1 else left[0]

        return look


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def wait(time: FakeTime, look: Callable[[], object], **how: object) -> Waited[object]:
    asked = {"what": "it is good", "within": SECOND, "every": SECOND / 5, **how}
    return wait_until(look, lambda seen: seen == "good", clock=time.clock, **asked)  # type: ignore[arg-type]


def test_what_is_good_at_once_is_not_waited_for(time: FakeTime) -> None:
    waited = wait(time, time.sees(["good"]))
    assert waited == Waited("good", timedelta())
    assert time.pauses == []


def test_the_first_look_always_happens(time: FakeTime) -> None:
    assert wait(time, time.sees(["good"]), within=timedelta()).value == "good"
    with pytest.raises(DeadlineMissed, match=r"last seen after 0\.0 s: bad"):
        wait(time, time.sees(["bad"]), within=timedelta())
    assert time.looks == [0, 0]


def test_the_time_until_it_became_good_is_told(time: FakeTime) -> None:
    assert wait(time, time.sees(["bad", "bad", "good"])).elapsed.total_seconds() == pytest.approx(0.4)


def test_a_missed_deadline_names_the_awaited_the_deadline_and_the_last_observation(time: FakeTime) -> None:
    with pytest.raises(DeadlineMissed) as missed:
        wait(time, time.sees(["first", "second", "last"]), within=2.5 * SECOND, what="runner02 is out of rotation")
    assert str(missed.value) == "expected that runner02 is out of rotation within 2.5 s; last seen after 2.5 s: last"
    assert isinstance(missed.value, PromiseBroken)


def test_the_error_is_of_the_kind_that_was_asked_for(time: FakeTime) -> None:
    with pytest.raises(LabUnavailable, match="it is good"):
        wait(time, time.sees(["bad"]), error=LabUnavailable)


def test_the_last_look_is_at_the_deadline_however_long_the_pauses(time: FakeTime) -> None:
    with pytest.raises(DeadlineMissed):
        wait(time, time.sees(["bad"]), every=0.6 * SECOND)
    assert time.looks == [0, 0.6, 1.0]


def test_what_becomes_good_after_the_deadline_is_late(time: FakeTime) -> None:
    began = time.now
    with pytest.raises(DeadlineMissed):
        wait(time, lambda: "good" if time.now > began + 1.1 else "bad", every=0.6 * SECOND)


def test_a_look_that_began_in_time_counts_however_long_it_takes(time: FakeTime) -> None:
    assert wait(time, time.sees(["bad", "good"], takes=0.7)).value == "good"


def test_a_slow_look_that_is_bad_is_the_last(time: FakeTime) -> None:
    with pytest.raises(DeadlineMissed, match=r"after 7\.0 s"):
        wait(time, time.sees(["bad", "good"], takes=7))
    assert time.looks == [0]


def test_good_looks_must_come_in_a_row(time: FakeTime) -> None:
    seen = ["good", "good", "bad", "good", "good", "good"]
    waited = wait(time, time.sees(seen), in_a_row=3)
    assert len(time.looks) == 6
    assert waited.elapsed.total_seconds() == pytest.approx(0.6), "the time of the first of the good row"


def test_a_row_that_began_in_time_may_end_after_the_deadline(time: FakeTime) -> None:
    waited = wait(time, time.sees(["bad", "bad", "good"]), in_a_row=3, every=0.5 * SECOND)
    assert time.looks == [0, 0.5, 1.0, 1.5, 2.0]
    assert waited.elapsed == SECOND


def test_a_row_that_breaks_after_the_deadline_is_not_begun_again(time: FakeTime) -> None:
    with pytest.raises(DeadlineMissed, match=r"after 1\.5 s: bad"):
        wait(time, time.sees(["bad", "bad", "good", "bad", "good"]), in_a_row=3, every=0.5 * SECOND)
    assert time.looks == [0, 0.5, 1.0, 1.5]


def test_a_hopeless_state_ends_the_wait_at_once(time: FakeTime) -> None:
    with pytest.raises(DeadlineMissed) as missed:
        wait(time, time.sees(["bad", "dead", "good"]), give_up_when=lambda seen: seen == "dead")
    assert str(missed.value) == "expected that it is good within 1 s; observed after 0.2 s, when it could not any more: dead"
    assert time.looks == [0, 0.2]


def test_what_is_good_is_taken_before_it_is_called_hopeless(time: FakeTime) -> None:
    assert wait(time, time.sees(["good"]), give_up_when=lambda _: True).value == "good"


def test_what_a_look_raises_ends_the_wait(time: FakeTime) -> None:
    def look() -> object:
        msg = "no way in"
        raise LabUnavailable(msg)

    with pytest.raises(LabUnavailable, match="no way in"):
        wait(time, look)
    assert time.pauses == []


def test_a_clock_of_coarse_steps_comes_to_an_end(time: FakeTime) -> None:
    time.now = 0.1 + 0.2
    with pytest.raises(DeadlineMissed):
        wait(time, time.sees(["bad"]), within=3 * SECOND, every=0.1 * SECOND)
    assert time.now == pytest.approx(3.3, abs=CLOCK_STEP.total_seconds())


def test_a_clock_that_moves_in_steps_is_not_waited_for_in_vain(time: FakeTime) -> None:
    step = 0.001
    in_steps = Clock(lambda: time.now, lambda seconds: time.pause(max(step * (seconds // step), 1e-12)))
    look = time.sees(["bad"])
    with pytest.raises(DeadlineMissed):
        wait_until(
            look, lambda seen: seen == "good", what="it is good", within=10.5 * step * SECOND, every=10 * step * SECOND, clock=in_steps
        )


def test_only_changes_are_logged(time: FakeTime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="model.waiting")
    wait(time, time.sees(["bad", "bad", "worse", "good"]))
    assert [record.getMessage() for record in caplog.records] == [f"waiting until it is good: {seen}" for seen in ("bad", "worse", "good")]


def test_time_spent_waiting_is_counted_once() -> None:
    time, before = FakeTime(), WAITS.seconds
    inner = time.sees([False, True])

    def observe() -> bool:
        wait_until(inner, bool, what="the inner one", within=10 * SECOND, every=SECOND, clock=time.clock)
        return time.now >= 1_000_003.0

    wait_until(observe, bool, what="the outer one", within=10 * SECOND, every=2 * SECOND, clock=time.clock)
    assert WAITS.seconds - before == pytest.approx(3.0)
    with pytest.raises(DeadlineMissed):
        wait_until(time.sees([False]), bool, what="never", within=5 * SECOND, every=SECOND, clock=time.clock)
    assert WAITS.seconds - before == pytest.approx(8.0)


def test_who_has_not_waited_yet_has_spent_nothing() -> None:
    assert not Waits().seconds
