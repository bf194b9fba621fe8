"""Pipeline jobs in a lab: where they run, and a transcript of all of them for the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from model.errors import PromiseBroken
from model.lab import Lab, Machine
from probes.job_steps import Step
from probes.outcomes import Channel
from probes.ssh import fleet_login, runner_login
from probes.tofu import JOB_WITHIN, JobOutcome, RunningJob, release, runner_of, start_job
from probes.workspace import Workspace

HOLD_WITHIN = timedelta(seconds=30)


@dataclass
class JobClient:
    """Runs pipeline jobs in one lab.

    Attributes:
        lab: Where.
        patience: Factor for deadlines of ours.
        transcript: What every job did, for the evidence.
        running: Jobs that were started and not yet finished.
    """

    lab: Lab
    patience: float = 1.0
    transcript: list[str] = field(default_factory=list)
    running: list[RunningJob] = field(default_factory=list)

    def on(self, runner: Machine, workspace: Workspace, *steps: Step) -> JobOutcome:
        """Run a job on one runner."""
        return self.finish(self.start_on(runner, workspace, *steps))

    def through_endpoint(self, workspace: Workspace, *steps: Step) -> JobOutcome:
        """Run a job wherever the balancer sends it."""
        return self.finish(self.start(fleet_login(self.lab), workspace, *steps))

    def start_on(self, runner: Machine, workspace: Workspace, *steps: Step) -> RunningJob:
        """Start a job on one runner."""
        job = self.start(runner_login(self.lab, runner), workspace, *steps)
        job.asked = runner.name
        return job

    def intrude(self, runner: Machine, workspace: Workspace, *steps: Step) -> JobOutcome:
        """Run a job that should be refused because somebody else holds the lock.

        Where the lock does not keep it out, an apply of a `holding` workspace would wait for its release like the
        holder: that it came so far says enough, so it is released at once.
        """
        job = self.start_on(runner, workspace, *steps)
        if job.wait_until_holding(HOLD_WITHIN * self.patience):
            release(self.lab, job)
        return self.finish(job)

    def start(self, channel: Channel, workspace: Workspace, *steps: Step) -> RunningJob:
        """Start a job over any channel."""
        job = start_job(channel, workspace, steps)
        self.running.append(job)
        return job

    def finish(self, job: RunningJob) -> JobOutcome:
        """Wait for the end of a job, and remember what it did."""
        outcome = job.finish(JOB_WITHIN * self.patience)
        self.transcript.append(f"{job.workspace.key}\n{outcome.describe()}\n{outcome.session}")
        self.running.remove(job)
        return outcome

    def runner(self, job: RunningJob | JobOutcome) -> Machine:
        """The machine that does (or did) a job.

        Raises:
            AcceptanceError: None of the lab's runners did.
        """
        return runner_of(self.lab, job)

    def other_runners(self, than: Machine) -> list[Machine]:
        """All runners but one."""
        return [runner for runner in self.lab.runners if runner.name != than.name]

    def abandon(self) -> None:
        """Drop the sessions of jobs that nobody waits for any more."""
        while self.running:
            self.running.pop().close()


@dataclass(frozen=True)
class Holder:
    """A runner that holds a state's lock in the middle of an apply.

    Attributes:
        job: The apply, waiting for its release.
        machine: The runner.
        serial_before: The state's serial before the apply.
    """

    job: RunningJob
    machine: Machine
    serial_before: int

    @property
    def workspace(self) -> Workspace:
        """What is being applied."""
        return self.job.workspace


def hold(client: JobClient, job: RunningJob, serial_before: int) -> Holder:
    """Wait until a started job holds the lock.

    Raises:
        PromiseBroken: It ended, or never came that far.
        AcceptanceError: None of the lab's runners does it.
    """
    within = HOLD_WITHIN * client.patience
    if not job.wait_until_holding(within):
        observed = (
            client.finish(job) if job.ended else f"no more than this after {within.total_seconds():g} s:\n{job.output_so_far()[-1000:]}"
        )
        raise PromiseBroken(f"expected an apply at {job.runner or job.asked} to come so far that it holds the lock; observed:\n{observed}")
    return Holder(job, client.runner(job), serial_before)
