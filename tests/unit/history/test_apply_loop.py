"""The loop recognises its own lock, unlocks and repeats once; what is cut short is unknown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Self

import pytest

from model.errors import AcceptanceError
from model.history import Outcome
from model.lab import Lab
from probes import apply_loop
from probes.apply_loop import ApplyLoop
from probes.job_steps import Step
from probes.outcomes import Channel, Reached
from probes.tofu import JobOutcome, StepResult
from probes.workspace import Workspace
from tests.unit.history.conftest import KEY, job, said

OWN = job(1, said("refused_apply.txt"))
FOREIGN = job(1, said("refused_apply.txt"), runner="runner02")
ENOUGH = timedelta(seconds=5)
Play = Callable[..., list[tuple[str, ...]]]


class FakeJob:
    """A job that ends as planned, or when it is closed."""

    def __init__(self, outcome: JobOutcome | None) -> None:
        """Plan its end."""
        self.outcome, self.closed = outcome, threading.Event()

    def finish(self, _within: timedelta) -> JobOutcome:
        if self.outcome is not None:
            return self.outcome
        assert self.closed.wait(10)
        return job(None, reached=Reached.LOST)

    def close(self) -> None:
        self.closed.set()

    def __enter__(self) -> Self:
        """As a real one."""
        return self

    def __exit__(self, *_: object) -> None:
        """As a real one."""
        self.close()


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Have jobs end as planned; tells the steps of each."""

    def plan(*outcomes: JobOutcome | None) -> list[tuple[str, ...]]:
        left, seen = list(outcomes), []

        def start(_channel: Channel, _workspace: Workspace, steps: Sequence[Step]) -> FakeJob:
            seen.append(tuple(step.command if "unlock" in step.name else step.name for step in steps))
            if seen[-1][0].startswith("tofu force-unlock") and left[0] is not None:
                return FakeJob(JobOutcome("runner01", left.pop(0).session, (StepResult("force-unlock", 0, accepted=True),)))  # type: ignore[union-attr]
            return FakeJob(left.pop(0))

        monkeypatch.setattr(apply_loop, "start_job", start)
        return seen

    return plan


def loop_of(lab: Lab, most: int, **wishes: bool) -> ApplyLoop:
    loop = ApplyLoop(lab, [KEY], most=most, **wishes).start()  # type: ignore[arg-type]
    for thread in loop._threads:
        thread.join(5)
    loop.stop()
    loop.check()
    return loop


def test_every_apply_has_a_value_of_its_own(lab: Lab, play: Play) -> None:
    play(job(0), job(0), job(0))
    loop = loop_of(lab, 3)
    assert loop.applies.outcomes == {Outcome.OK: 3}
    assert len({each.labels["token"] for each in loop.applies}) == 3
    assert not loop.unexcused


def test_its_own_lock_is_counted_unlocked_and_the_apply_repeated_once(lab: Lab, play: Play) -> None:
    steps = play(OWN, job(0), job(0))
    loop = loop_of(lab, 1)
    assert [each.name for each in loop.operations] == ["apply", "unlock", "apply"]
    assert steps[1] == ("tofu force-unlock -force da701dec-121a-2203-4176-ec02b79d5e60",)
    assert len(loop.own_locks) == 1
    assert loop.applies[1].labels["repeats"] == loop.applies[0].labels["token"] != loop.applies[1].labels["token"]
    assert not loop.unexcused


def test_an_apply_that_meets_its_own_lock_again_is_not_repeated_for_ever(lab: Lab, play: Play) -> None:
    play(OWN, job(0), OWN)
    loop = loop_of(lab, 1)
    assert len(loop.own_locks) == 2
    assert len(loop.unexcused) == 2


def test_its_own_lock_is_left_alone_where_nobody_asked(lab: Lab, play: Play) -> None:
    play(OWN)
    loop = loop_of(lab, 1, unlock_own=False)
    assert [each.name for each in loop.operations] == ["apply"]
    assert len(loop.own_locks) == len(loop.unexcused) == 1


def test_somebody_elses_lock_is_never_released(lab: Lab, play: Play) -> None:
    play(FOREIGN, job(0))
    loop = loop_of(lab, 2)
    assert [each.name for each in loop.operations] == ["apply", "apply"]
    assert (len(loop.own_locks), len(loop.unexcused)) == (0, 1)


def test_a_job_that_is_cut_when_the_loop_is_stopped_is_unknown(lab: Lab, play: Play) -> None:
    play(None)
    loop = ApplyLoop(lab, [KEY]).start()
    assert loop.running
    loop.stop(timedelta())
    assert not loop.running
    assert [each.outcome for each in loop.applies] == [Outcome.UNKNOWN]
    assert len(loop.unexcused) == 1


def test_a_job_that_ends_soon_after_the_loop_is_stopped_is_waited_for(lab: Lab, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, cut = threading.Event(), list[bool]()

    def slow(running: FakeJob, _within: timedelta) -> JobOutcome:
        begun.set()
        cut.append(running.closed.wait(0.3))
        return job(0)

    monkeypatch.setattr(FakeJob, "finish", slow)
    play(None)
    loop = ApplyLoop(lab, [KEY]).start()
    assert all(thread.daemon for thread in loop._threads)
    assert begun.wait(5)
    loop.stop(ENOUGH)
    assert ([each.outcome for each in loop.applies], cut) == ([Outcome.OK], [False])


def test_applies_begin_no_sooner_than_is_wanted(lab: Lab, play: Play) -> None:
    play(*[job(0)] * 3)
    with ApplyLoop(lab, [KEY], every=timedelta(milliseconds=200), most=3) as loop:
        loop.await_each(3, since=0, within=ENOUGH)
    moments = [each.started for each in loop.applies]
    assert all(later - sooner > 0.19 for sooner, later in pairwise(moments))


def test_each_state_has_its_own_writer(lab: Lab, play: Play) -> None:
    play(None, None)
    loop = ApplyLoop(lab, [KEY, KEY + ".2"]).start()
    loop.stop(timedelta())
    assert {each.labels["key"] for each in loop.applies} == {KEY, KEY + ".2"}


@pytest.mark.parametrize("keys", [[], [KEY, KEY]])
def test_a_loop_without_states_of_its_own_cannot_be(lab: Lab, keys: list[str]) -> None:
    with pytest.raises(AcceptanceError, match="states of its own"):
        ApplyLoop(lab, keys)


def test_an_error_of_ours_makes_its_history_worthless(lab: Lab, play: Play) -> None:
    play()
    loop = ApplyLoop(lab, [KEY]).start()
    with pytest.raises(AcceptanceError, match="broke, so its history says nothing about the lab: IndexError"):
        loop.await_ended(1, since=0, within=ENOUGH)
    loop.stop()


def test_the_longest_apply_is_the_one_that_a_pipeline_waited_for_longest(lab: Lab, play: Play) -> None:
    play(job(0), job(0))
    loop = loop_of(lab, 2)
    assert loop.longest_apply() == max(loop.applies, key=lambda each: each.seconds)


def test_every_writer_is_waited_for_and_one_that_hangs_is_not_made_up_for(lab: Lab, play: Play) -> None:
    play(None, *[job(0)] * 8)
    loop = ApplyLoop(lab, [KEY, KEY + ".2"], most=4).start()
    loop.await_ended(4, since=0, within=ENOUGH)
    with pytest.raises(
        AcceptanceError, match=r"expected that each writer of the client 'applies in a loop' has ended 1 applies within 0\.1 s"
    ):
        loop.await_each(1, since=0, within=timedelta(seconds=0.1))
    next(iter(loop._jobs.values())).close()
    loop.await_each(1, since=0, within=ENOUGH)
    loop.stop()
    assert loop.applies.outcomes[Outcome.UNKNOWN] == 1


def test_writers_begin_with_different_runners_and_take_them_in_turn(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, object]] = []

    def start(channel: Channel, workspace: Workspace, _steps: Sequence[Step]) -> FakeJob:
        seen.append((str(workspace.key), channel))
        return FakeJob(job(0))

    monkeypatch.setattr(apply_loop, "start_job", start)
    loop = ApplyLoop(lab, [KEY, KEY + ".2"], most=4)
    loop._channels[:] = ["one", "two", "three"]  # type: ignore[list-item]
    loop.start()
    for thread in loop._threads:
        thread.join(5)
    loop.stop()
    turns = [[channel for key, channel in seen if key == each] for each in (KEY, KEY + ".2")]
    assert turns == [["one", "two", "three", "one"], ["two", "three", "one", "two"]]


def test_a_lock_that_cannot_be_released_is_told(lab: Lab, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    play(OWN, job(0), job(0))
    real = vars(apply_loop)["start_job"]

    def refused(channel: Channel, workspace: Workspace, steps: Sequence[Step]) -> FakeJob:
        started: FakeJob = real(channel, workspace, steps)
        return FakeJob(FOREIGN) if "unlock" in steps[0].name else started

    monkeypatch.setattr(apply_loop, "start_job", refused)
    loop = loop_of(lab, 1)
    (unlock,) = loop.operations.named("unlock")
    assert (unlock.outcome, unlock.who) == (Outcome.FAILED, "runner02")
    assert unlock.detail


def test_a_loop_that_cannot_have_a_thread_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(AcceptanceError, match="the apply loop cannot start: can't start new thread"):
        ApplyLoop(lab, [KEY]).start()
