"""Sentences about answers that are lost on their way back."""

from __future__ import annotations

from pytest_bdd import given, then, when

from faults.answers import AnswerLost
from faults.breaker import Breaker
from model.lab import Lab
from probes import job_steps as do
from probes.jobs import JobClient
from probes.store import StoreProbe
from probes.tofu import JobOutcome
from probes.workspace import counted, fresh_value
from steps.state import SharedState, serial_of


@given("the answer is lost whenever its lock is granted", target_fixture="lost_answer")
def lose_answers(lab: Lab, breaker: Breaker, shared: SharedState) -> AnswerLost:
    return breaker.inject(AnswerLost.of_lock(lab, shared.key))


@when("two runners apply a change to it, one after the other", target_fixture="kept_out")
def apply_twice(lab: Lab, jobs: JobClient, shared: SharedState) -> list[JobOutcome]:
    return [jobs.on(runner, counted(shared.key, fresh_value()), do.apply()) for runner in lab.runners[:2]]


@then("neither of them changed the state")
def check_unchanged(store: StoreProbe, shared: SharedState, kept_out: list[JobOutcome]) -> None:
    for outcome in kept_out:
        assert not outcome.ok, f"expected {outcome.runner} not to get the lock; observed that it applied"
    now = serial_of(store, shared.key)
    assert now == shared.serials[-1], f"expected serial {shared.serials[-1]}; observed {now}"


@then("the first one was kept out by its own lock")
@then("the second one was kept out by the lock of the first")
def check_own_lock(store: StoreProbe, shared: SharedState, kept_out: list[JobOutcome]) -> None:
    lock = store.lock_object(shared.key)
    assert lock.value is not None, f"expected the first one's lock to be left; observed {lock.error or 'none'}"
    assert lock.value.hostname == kept_out[0].runner, f"expected a lock of {kept_out[0].runner}; observed {lock.value.who}"
    for outcome in kept_out:
        error = outcome.lock_error
        assert error is not None, f"expected {outcome.runner} to be kept out by the lock; observed:\n{outcome}"
        told = error.info.id if error.info else "nobody"
        assert told == lock.value.id, f"expected {outcome.runner} to be told of lock {lock.value.id}; observed {told}:\n{outcome}"


@then("once the answers arrive again and the lock is released, the next apply succeeds")
def check_help(breaker: Breaker, jobs: JobClient, store: StoreProbe, shared: SharedState, lost_answer: AnswerLost) -> None:
    breaker.heal(lost_answer)
    lock = store.lock_object(shared.key)
    assert lock.value is not None, f"expected the lock to be there still; observed {lock.error or 'none'}"
    runner = jobs.lab.runners[-1]
    outcome = jobs.on(runner, counted(shared.key, fresh_value()), do.force_unlock(lock.value.id), do.apply())
    assert outcome.ok, f"expected the next apply to succeed; observed:\n{outcome}"
    now = serial_of(store, shared.key)
    assert now == shared.serials[-1] + 1, f"expected serial {shared.serials[-1] + 1}; observed {now}"
