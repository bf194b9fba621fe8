"""Sentences about the state itself: what the store holds, and what runners make of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_bdd import given, then, when

from model.errors import PromiseBroken
from model.lab import Lab, Machine
from probes import job_steps as do
from probes.jobs import JobClient
from probes.snapshots import StateSnapshot
from probes.store import StoreProbe
from probes.tofu import JobOutcome
from probes.workspace import Workspace, counted, fresh_value

MORE_TRIES = 3
RESOURCES = 3


def serial_of(store: StoreProbe, key: str) -> int:
    """Serial of the state under a key, as the store holds it.

    Raises:
        PromiseBroken: The store does not give a state.
    """
    return snapshot(store, key).serial


def snapshot(store: StoreProbe, key: str) -> StateSnapshot:
    """The state under a key, as the store holds it.

    Raises:
        PromiseBroken: The store does not give a state.
    """
    found = store.state(key)
    if found.value is None:
        raise PromiseBroken(f"expected a state under {key} in bucket {store.bucket} at {store.endpoint}; observed {found.error}")
    return found.value


@dataclass
class SharedState:
    """A state that several jobs work on.

    Attributes:
        key: Where it is.
        workspace: What was applied last.
        serials: Serial after each change, the first one included.
        plans: Plans of other runners, with the runner whose change they followed.
        applies: Outcomes of the applies.
    """

    key: str
    workspace: Workspace
    serials: list[int] = field(default_factory=list)
    plans: list[tuple[Machine, JobOutcome]] = field(default_factory=list)
    applies: list[JobOutcome] = field(default_factory=list)


@given("a state that all runners share", target_fixture="shared")
@given("a state that was written before", target_fixture="shared")
def create_state(lab: Lab, jobs: JobClient, store: StoreProbe, key: str) -> SharedState:
    workspace = counted(key, fresh_value(), resources=RESOURCES)
    outcome = jobs.on(lab.runners[0], workspace, do.apply())
    if not outcome.ok:
        raise PromiseBroken(f"expected {outcome.who} to be able to create a state; observed:\n{outcome}")
    return SharedState(key, workspace, [serial_of(store, key)])


@when("every runner in turn changes it")
def change_in_turn(lab: Lab, jobs: JobClient, store: StoreProbe, shared: SharedState) -> None:
    for runner in lab.runners:
        shared.workspace = counted(shared.key, fresh_value(), resources=RESOURCES)
        shared.applies.append(jobs.on(runner, shared.workspace, do.apply()))
        shared.serials.append(serial_of(store, shared.key))
        shared.plans += [(runner, jobs.on(other, shared.workspace, do.plan())) for other in jobs.other_runners(runner)]


@then("after each change every other runner plans no changes")
def check_plans(shared: SharedState) -> None:
    for outcome in shared.applies:
        assert outcome.ok, f"expected {outcome.who} to change the shared state; observed:\n{outcome}"
    for changed_by, outcome in shared.plans:
        planned = outcome.step("plan")
        assert outcome.plan_shows_no_changes, (
            f"expected {outcome.who} to plan no changes after {changed_by.name} applied; observed:\n{outcome}\n{planned.output}"
        )


@then("each change has raised the serial by exactly one")
def check_serials(shared: SharedState) -> None:
    expected = [shared.serials[0] + count for count in range(len(shared.serials))]
    assert shared.serials == expected, f"expected the serials {expected}; observed {shared.serials}"


@given("a pipeline job has applied a change through the endpoint", target_fixture="first_job")
def apply_through_endpoint(jobs: JobClient, key: str) -> tuple[Workspace, JobOutcome]:
    workspace = counted(key, fresh_value())
    outcome = jobs.through_endpoint(workspace, do.apply())
    if not outcome.ok:
        raise PromiseBroken(f"expected a pipeline job at {outcome.asked} to apply a change; observed:\n{outcome}")
    return workspace, outcome


@when("jobs with the same configuration are planned through the endpoint until another runner answers", target_fixture="second_job")
def plan_until_another_answers(lab: Lab, jobs: JobClient, first_job: tuple[Workspace, JobOutcome]) -> JobOutcome:
    workspace, first = first_job
    outcome = first
    for _ in range(MORE_TRIES * len(lab.runners)):
        outcome = jobs.through_endpoint(workspace, do.plan())
        if outcome.runner != first.runner:
            break
    return outcome


@then("that runner plans no changes")
def check_second_job(first_job: tuple[Workspace, JobOutcome], second_job: JobOutcome) -> None:
    first = first_job[1].runner
    assert second_job.runner, f"expected a runner to answer the second job at {second_job.asked}; observed:\n{second_job}"
    assert second_job.runner != first, f"expected another runner than {first} to be reached through the endpoint; observed only {first}"
    assert second_job.plan_shows_no_changes, (
        f"expected {second_job.who} to plan no changes after {first} applied; observed:\n{second_job}\n{second_job.step('plan').output}"
    )
