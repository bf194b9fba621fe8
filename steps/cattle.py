"""Sentences about a runner that is made anew from nothing."""

from __future__ import annotations

from pytest_bdd import then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.rebuild import Rebuilt
from model.lab import Lab
from model.waiting import wait_until
from probes import job_steps as do
from probes.jobs import JobClient
from probes.openssh import PipelineClient, pipeline_client
from steps.fleet import statistics_of
from steps.rotation import REMOVED_WITHIN
from steps.state import SharedState


@when("a runner is destroyed and made anew from nothing", target_fixture="fault")
def rebuild(lab: Lab, breaker: Breaker) -> Fault:
    return breaker.inject(Rebuilt(lab.runners[-1]))


@then("it plans no changes to that state")
def check_plan(jobs: JobClient, fault: Fault, shared: SharedState) -> None:
    outcome = jobs.on(fault.machine, shared.workspace, do.plan())
    assert outcome.plan_shows_no_changes, f"expected {fault.machine.name} to plan no changes as soon as it is there; observed:\n{outcome}"


@then("a pipeline that knows only what the lab published before reaches it")
def check_reached(lab: Lab, fault: Fault) -> None:
    client: PipelineClient = pipeline_client(lab)
    wait_until(
        lambda: all(statistics.in_rotation(fault.machine.name) for statistics in statistics_of(lab).values()),
        bool,
        what=f"every balancer has {fault.machine.name} in rotation",
        within=REMOVED_WITHIN,
    )
    outcomes = [client.run("hostname") for _ in range(2 * len(lab.runners))]
    for outcome in outcomes:
        assert outcome.ok, f"expected every connection to be answered by a machine that proves who it is; observed {outcome}"
    names = [outcome.stdout.strip() for outcome in outcomes]
    assert fault.machine.name in names, f"expected {fault.machine.name} to be reached; observed {names}"
