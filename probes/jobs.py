"""Pipeline jobs in a lab: where they run, and a transcript of all of them for the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from model.errors import AcceptanceError
from model.lab import Lab, Machine
from probes.job_steps import Step
from probes.outcomes import Channel
from probes.ssh import fleet_login, runner_login
from probes.tofu import JOB_WITHIN, JobOutcome, RunningJob, runner_of, start_job
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
        return self.start(runner_login(self.lab, runner), workspace, *steps)

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
        AcceptanceError: It ended, or never came that far.
    """
    if not job.wait_until_holding(HOLD_WITHIN * client.patience):
        outcome = client.finish(job) if job.ended else None
        msg = f"the first apply did not come to the point where it holds the lock: {outcome or job.output_so_far()[-1000:]}"
        raise AcceptanceError(msg)
    return Holder(job, client.runner(job), serial_before)
