"""Sentences about the state lock: who holds it, who is refused, what that changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pytest_bdd import given, then, when

from model.aftermath import Aftermath
from model.errors import PromiseBroken
from model.lab import Lab, Machine
from probes import job_steps as do
from probes.jobs import Holder, JobClient, hold
from probes.ssh import fleet_login
from probes.store import StoreProbe
from probes.tofu import JobOutcome, RunningJob, release
from probes.workspace import counted, fresh_value, holding
from steps.state import serial_of

APPLYING = "OperationTypeApply"


def _first_change(jobs: JobClient, store: StoreProbe, key: str) -> int:
    """Have a state before the apply that is being watched, so that growth by one can be told from creation."""
    outcome = jobs.on(jobs.lab.runners[0], counted(key, fresh_value()), do.apply())
    if not outcome.ok:
        raise PromiseBroken(f"expected {outcome.who} to be able to create a state; observed:\n{outcome}")
    return serial_of(store, key)


def _release_in_the_end(lab: Lab, aftermath: Aftermath, job: RunningJob) -> None:
    def let_go() -> None:
        if not job.ended and job.runner:
            release(lab, job)

    aftermath.heal(let_go)


@given("a runner is in the middle of applying a change", target_fixture="holder")
def begin_apply_through_endpoint(lab: Lab, jobs: JobClient, store: StoreProbe, key: str, aftermath: Aftermath) -> Holder:
    before = _first_change(jobs, store, key)
    job = jobs.start(fleet_login(lab), holding(key, fresh_value()), do.apply())
    _release_in_the_end(lab, aftermath, job)
    return hold(jobs, job, before)


@given("a session on one runner where an apply is under way", target_fixture="holder")
def begin_apply_in_session(lab: Lab, jobs: JobClient, store: StoreProbe, key: str, aftermath: Aftermath) -> Holder:
    before = _first_change(jobs, store, key)
    job = jobs.start_on(lab.runners[0], holding(key, fresh_value()), do.apply())
    _release_in_the_end(lab, aftermath, job)
    return hold(jobs, job, before)


@when("another runner applies the same configuration", target_fixture="refused")
@when("the same apply is started in a session on another runner", target_fixture="refused")
def apply_elsewhere(jobs: JobClient, holder: Holder) -> list[JobOutcome]:
    return [jobs.intrude(jobs.other_runners(holder.machine)[0], holder.workspace, do.apply())]


@when("another runner plans the same configuration", target_fixture="refused")
def plan_elsewhere(jobs: JobClient, holder: Holder) -> list[JobOutcome]:
    return [jobs.intrude(jobs.other_runners(holder.machine)[0], holder.workspace, do.plan())]


@when("every other runner applies the same configuration at once", target_fixture="refused")
def apply_everywhere_else(jobs: JobClient, holder: Holder) -> list[JobOutcome]:
    def apply_on(runner: Machine) -> JobOutcome:
        return jobs.intrude(runner, holder.workspace, do.apply())

    others = jobs.other_runners(holder.machine)
    with ThreadPoolExecutor(max_workers=len(others)) as pool:
        return list(pool.map(apply_on, others))


@then("it is refused because the first one holds the lock")
@then("each of them is refused because the first one holds the lock")
def check_refusal(refused: list[JobOutcome], holder: Holder, store: StoreProbe, key: str) -> None:
    lock = store.lock_object(key)
    if lock.error is not None:
        raise PromiseBroken(f"expected {store.endpoint} to say who holds the lock of {key}; observed {lock.error}")
    assert lock.value is not None, f"expected a lock object of {holder.machine.name} beside the state; observed none while its apply runs"
    assert holder.machine.name in lock.value.who, f"expected the lock to name {holder.machine.name}; observed {lock.value.who}"
    assert lock.value.operation == APPLYING, f"expected a lock of an apply; observed {lock.value.operation}"
    for outcome in refused:
        who = outcome.who
        assert not outcome.ok, (
            f"expected {who} to be refused while {holder.machine.name} applies; observed that it went through:\n{outcome}"
        )
        assert outcome.exit_status == 1, f"expected exit code 1 on {who}; observed {outcome.exit_status}:\n{outcome}"
        error = outcome.lock_error
        assert error is not None, f"expected {who} to report the state lock; observed:\n{outcome}"
        assert error.held_by_someone, (
            f"expected 'Error acquiring the state lock' with 412 PreconditionFailed on {who}; observed:\n{outcome}"
        )
        told = error.info
        assert told is not None, f"expected {who} to be told who holds the lock; observed:\n{outcome}"
        assert told.id == lock.value.id, f"expected {who} to be told of lock {lock.value.id}; observed {told.id}"
        assert holder.machine.name in told.who, f"expected {who} to be told that {holder.machine.name} holds the lock; observed {told.who}"
    now = serial_of(store, key)
    assert now == holder.serial_before, f"expected the state unchanged at serial {holder.serial_before} by who was refused; observed {now}"


@then("the first one completes its change")
def let_holder_complete(lab: Lab, jobs: JobClient, holder: Holder) -> None:
    release(lab, holder.job)
    outcome = jobs.finish(holder.job)
    assert outcome.ok, f"expected the apply on {holder.machine.name} to complete; observed:\n{outcome}"


@then("the state has grown by exactly one serial")
def check_growth(store: StoreProbe, key: str, holder: Holder) -> None:
    now = serial_of(store, key)
    assert now == holder.serial_before + 1, f"expected serial {holder.serial_before + 1}; observed {now}"


@then("nobody holds the lock any more")
def check_no_lock(store: StoreProbe, key: str) -> None:
    lock = store.lock_object(key)
    if lock.error is not None:
        raise PromiseBroken(f"expected {store.endpoint} to say whether anybody holds the lock of {key}; observed {lock.error}")
    assert lock.value is None, f"expected no lock object any more; observed {lock.value}"
