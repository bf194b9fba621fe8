"""Sentences about locks whose holder died, locks that others wait for, and locks that lie about."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from pytest_bdd import parsers, then, when

from faults.breaker import Breaker
from faults.power import PlugPulled
from model.errors import AcceptanceError, ControlChannelLost
from model.lab import Lab, Machine
from probes import job_steps as do
from probes.answers import UNREADABLE, Answer
from probes.jobs import Holder, JobClient
from probes.lock_error import LockInfo
from probes.store import LOCK_SUFFIX, StoreProbe
from probes.tofu import JobOutcome, RunningJob, release
from probes.workspace import counted, fresh_value
from steps.state import serial_of

UNDER_WAY = "pgrep -x tofu"
WAITING = "Acquiring state lock"
WAITING_WITHIN = timedelta(seconds=20)


@when("the plug of the holder is pulled", target_fixture="orphan")
def kill_holder(breaker: Breaker, store: StoreProbe, key: str, holder: Holder) -> LockInfo:
    lock = _lock(store, key)
    breaker.inject(PlugPulled(holder.machine))
    holder.job.close()
    return lock


def _lock(store: StoreProbe, key: str) -> LockInfo:
    found = store.lock_object(key)
    if found.error is not None:
        raise AcceptanceError(f"the lock object of {key} could not be read: {found.error}")
    assert found.value is not None, f"expected a lock object beside {key}; observed none"
    return found.value


@then("the lock still names the holder")
def check_orphan(store: StoreProbe, key: str, holder: Holder, orphan: LockInfo) -> None:
    now = _lock(store, key)
    assert now == orphan, f"expected the lock as it was ({orphan}); observed {now}"
    assert holder.machine.name in now.who, f"expected the lock to name {holder.machine.name}; observed {now.who}"


@then("every other runner is refused because of that lock")
def check_others_refused(jobs: JobClient, holder: Holder, orphan: LockInfo, key: str) -> None:
    for runner in jobs.other_runners(holder.machine):
        outcome = jobs.on(runner, counted(key, fresh_value()), do.apply())
        error = outcome.lock_error
        assert error is not None, f"expected {runner.name} to be refused; observed:\n{outcome}"
        assert error.held_by_someone, f"expected {runner.name} to be refused with 412; observed:\n{outcome}"
        told = error.info.id if error.info else "nothing"
        assert told == orphan.id, f"expected {runner.name} to be told of lock {orphan.id}; observed {told}"


@then("releasing it with a wrong id is refused")
def check_wrong_id(store: StoreProbe, jobs: JobClient, holder: Holder, orphan: LockInfo, key: str) -> None:
    outcome = _unlock(jobs, holder, key, str(uuid.uuid4()))
    assert not outcome.ok, "expected force-unlock with a wrong id to be refused; observed that it was not"
    now = _lock(store, key)
    assert now == orphan, f"expected the lock as it was; observed {now}"


def _unlock(jobs: JobClient, holder: Holder, key: str, lock_id: str) -> JobOutcome:
    return jobs.on(jobs.other_runners(holder.machine)[0], counted(key, fresh_value()), do.force_unlock(lock_id))


@then("releasing it with the right id works")
def check_right_id(store: StoreProbe, jobs: JobClient, holder: Holder, orphan: LockInfo, key: str) -> None:
    outcome = _unlock(jobs, holder, key, orphan.id)
    assert outcome.ok, f"expected force-unlock with the right id to work; observed:\n{outcome}"
    left = store.lock_object(key)
    assert left.value is None, f"expected no lock any more; observed {left.value}"


@then("another runner applies the change, and the history has no gap")
def check_next_apply(store: StoreProbe, jobs: JobClient, holder: Holder, key: str) -> None:
    before = serial_of(store, key)
    assert before == holder.serial_before, f"expected the state unchanged at serial {holder.serial_before} by who died; observed {before}"
    outcome = jobs.on(jobs.other_runners(holder.machine)[-1], counted(key, fresh_value()), do.apply())
    assert outcome.ok, f"expected the next apply to work; observed:\n{outcome}"
    now = serial_of(store, key)
    assert now == before + 1, f"expected serial {before + 1}; observed {now}"


@dataclass(frozen=True)
class Waiter:
    """A job that waits for the lock."""

    job: RunningJob


@when(parsers.parse("another runner applies another change and is ready to wait {seconds:d} seconds for the lock"), target_fixture="waiter")
def begin_to_wait(jobs: JobClient, holder: Holder, key: str, seconds: int) -> Waiter:
    runner = jobs.other_runners(holder.machine)[0]
    return Waiter(jobs.start_on(runner, counted(key, fresh_value()), do.apply(lock_timeout=timedelta(seconds=seconds))))


@then("the first one completes its change while the other waits")
def complete_while_waiting(jobs: JobClient, holder: Holder, waiter: Waiter, store: StoreProbe, key: str) -> None:
    who = waiter.job.asked
    assert _is_waiting(waiter), f"expected {who} to wait for the lock; observed:\n{waiter.job.output_so_far()[-1000:]}"
    assert holder.machine.name in _lock(store, key).who, (
        f"expected {holder.machine.name} to hold the lock; observed {_lock(store, key).who}"
    )
    release(jobs.lab, holder.job)
    outcome = jobs.finish(holder.job)
    assert outcome.ok, f"expected the apply on {holder.machine.name} to complete; observed:\n{outcome}"


def _is_waiting(waiter: Waiter) -> bool:
    return waiter.job.wait_for_output(WAITING, WAITING_WITHIN)


@then("the other one applies its change after that")
def check_waiter(jobs: JobClient, waiter: Waiter) -> None:
    outcome = jobs.finish(waiter.job)
    assert outcome.ok, f"expected the apply that waits on {outcome.who} to get its turn; observed:\n{outcome}"


@then("the state has grown by exactly two serials")
def check_two(store: StoreProbe, key: str, holder: Holder) -> None:
    now = serial_of(store, key)
    assert now == holder.serial_before + 2, f"expected serial {holder.serial_before + 2}; observed {now}"


@when(parsers.parse("another runner applies another change and waits {seconds:d} seconds for the lock"), target_fixture="refused")
def wait_too_short(jobs: JobClient, holder: Holder, key: str, seconds: int) -> list[JobOutcome]:
    runner = jobs.other_runners(holder.machine)[0]
    return [jobs.on(runner, counted(key, fresh_value()), do.apply(lock_timeout=timedelta(seconds=seconds)))]


@then(parsers.parse("it gave up after {seconds:d} seconds or more"))
def check_patience(refused: list[JobOutcome], seconds: int) -> None:
    for outcome in refused:
        took = outcome.step("apply").duration.total_seconds()
        assert took >= seconds, f"expected {outcome.who} to wait {seconds} s or more; observed {took:.1f} s"


@when("all locks in the bucket are looked at", target_fixture="locks")
def find_locks(store: StoreProbe) -> dict[str, Answer[LockInfo]]:
    found = store.keys("")
    if found.error is not None:
        raise AcceptanceError(f"the bucket {store.bucket} could not be listed: {found.error}")
    states = [name.removesuffix(LOCK_SUFFIX) for name in found.value or () if name.endswith(LOCK_SUFFIX)]
    locks = {name: store.lock_object(name) for name in states}
    for name, answer in locks.items():
        if answer.error is not None and answer.error.code != UNREADABLE:
            raise AcceptanceError(f"the lock of {name} could not be read: {answer.error}")
    return {name: answer for name, answer in locks.items() if answer != Answer()}


@then("each belongs to an apply that is under way")
def check_locks(lab: Lab, locks: dict[str, Answer[LockInfo]]) -> None:
    runners = {runner.name: runner for runner in lab.runners}
    for name, answer in locks.items():
        promised = f"expected the lock of {name} to belong to an apply that is under way"
        lock = answer.value
        assert lock is not None, f"{promised}; observed one that names nobody: {answer.error}"
        expected = f"{promised}; observed {lock.who} since {lock.created}"
        assert lock.hostname in runners, f"{expected}, who is no runner of this lab"
        assert _applies(runners[lock.hostname]), f"{expected}, but no tofu runs there"


def _applies(runner: Machine) -> bool:
    try:
        return runner.run(UNDER_WAY).ok
    except ControlChannelLost:
        return False
