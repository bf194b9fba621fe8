"""Pipeline jobs: one SSH session that unpacks a configuration on a runner, runs OpenTofu, and leaves nothing behind."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from model.errors import AcceptanceError
from model.lab import Lab, Machine
from probes.job_steps import TIMED_OUT, Step, init, script
from probes.lock_error import LockError, normalise, parse_lock_error
from probes.outcomes import CONNECT_WITHIN, EXCERPT, Channel, RunningCommand, SshOutcome
from probes.workspace import RELEASE_FILE, Workspace

JOB_WITHIN = timedelta(seconds=120)
RUNNER_WITHIN = timedelta(seconds=10)
UPTIME = r"([0-9]{1,12}\.[0-9]{1,6})"
"""As `/proc/uptime` has it: seconds since boot (proc(5))."""


@dataclass(frozen=True)
class StepResult:
    """What became of one step.

    Attributes:
        name: As the step is called.
        exit_status: Its own; None when it did not run or did not end.
        stdout: Standard output, byte for byte, decoded with replacement.
        stderr: Standard error; empty until the step has ended.
        duration: By the runner's clock since boot, in steps of 10 ms.
        accepted: Whether the job went on after it.
    """

    name: str
    exit_status: int | None = None
    stdout: str = ""
    stderr: str = ""
    duration: timedelta = timedelta()
    accepted: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_status == 0

    @property
    def output(self) -> str:
        """Both streams."""
        return "\n".join(part for part in (self.stdout.rstrip("\n"), self.stderr.rstrip("\n")) if part)

    @property
    def timed_out(self) -> bool:
        """Whether its deadline ended it."""
        return self.exit_status in TIMED_OUT

    @property
    def lock_error(self) -> LockError | None:
        """What it said about the state lock, if it failed on it."""
        return None if self.ok else parse_lock_error(self.output)

    @property
    def error(self) -> str:
        """From the first error on, in one line; empty when it names none."""
        found = re.search(r"^(?:Error|Failed)\b.*", normalise(self.output), re.MULTILINE | re.DOTALL)
        return " ".join(found.group().split()) if found else ""


@dataclass(frozen=True)
class JobOutcome:
    """What became of a pipeline job.

    Attributes:
        runner: Hostname of the runner that did it; empty when none did.
        session: How its SSH session ended.
        steps: One per planned step, in order; those that did not run have no exit status.
        asked: Who was asked to do it: the address that the session was opened to, or the machine's name.
    """

    runner: str
    session: SshOutcome
    steps: tuple[StepResult, ...]
    asked: str = ""

    @property
    def who(self) -> str:
        """The runner that did it, else who was asked to."""
        return self.runner or self.asked

    def step(self, name: str) -> StepResult:
        """The result of a planned step.

        Raises:
            KeyError: No step of that name was planned.
        """
        for result in self.steps:
            if result.name == name:
                return result
        msg = f"the job has no step {name!r}, only: {', '.join(result.name for result in self.steps)}"
        raise KeyError(msg)

    @property
    def failed_step(self) -> StepResult | None:
        """The step that ended the job, or the one that was running when the session was lost."""
        return next((result for result in self.steps if not result.accepted), None)

    @property
    def exit_status(self) -> int | None:
        """Exit status of the first step that failed, else the session's; 0 is success, None a job that did not end."""
        failed = self.failed_step
        return failed.exit_status if failed is not None and failed.exit_status is not None else self.session.exit_status

    @property
    def ok(self) -> bool:
        """Whether every step did what was asked."""
        return self.exit_status == 0 and self.failed_step is None

    @property
    def lock_error(self) -> LockError | None:
        """What the failed step said about the state lock."""
        return self.failed_step.lock_error if self.failed_step else None

    @property
    def plan_shows_no_changes(self) -> bool:
        """Whether the plan ran and found nothing to do."""
        return self.step("plan").exit_status == 0

    @property
    def duration(self) -> timedelta:
        """Sum over the steps, without the session."""
        return sum((result.duration for result in self.steps), timedelta())

    def describe(self) -> str:
        """For a message: who, how far, and what the failed step said."""
        who = f"the job on {self.runner}" if self.runner else f"the job on no runner, asked of {self.asked or 'nobody'}"
        lines = [f"{who}: session {self.session.reached}, exit status {self.exit_status}"]
        for result in self.steps:
            status = "did not end" if result.exit_status is None else f"exit status {result.exit_status}"
            lines.append(f"  {result.name}: {status}, {result.duration.total_seconds():.2f} s")
        failed = self.failed_step
        if failed is not None and failed.output:
            lines.append(failed.error[:EXCERPT] or normalise(failed.output).strip()[-EXCERPT:])
        if self.session.detail:
            lines.append(self.session.detail)
        elif not self.runner and self.session.result is not None:
            lines.append(self.session.result.text[-EXCERPT:])
        return "\n".join(lines)

    __str__ = describe


class RunningJob:
    """A job whose session is open."""

    def __init__(self, command: RunningCommand, workspace: Workspace, steps: tuple[Step, ...], token: str, asked: str = "") -> None:
        """Keep what is needed to read its output, and who was asked to do it."""
        self.workspace, self.asked, self._command, self._steps, self._token = workspace, asked, command, steps, token

    @property
    def runner(self) -> str:
        """Hostname of the runner that does it; empty until it said so."""
        return _marked(self._command.output_so_far(), self._token, "runner")

    @property
    def folder(self) -> str:
        """The job's folder on the runner; empty until it said so."""
        return _marked(self._command.output_so_far(), self._token, "folder")

    @property
    def ended(self) -> bool:
        """Whether its session has ended."""
        return self._command.ended

    def output_so_far(self) -> str:
        """Standard output up to now, with marker lines."""
        return self._command.output_so_far()

    def wait_for_output(self, text: str, within: timedelta) -> bool:
        """Wait until it has printed something; False when it ends or the deadline passes first."""
        return self._command.wait_for_output(text, within)

    def wait_until_started(self, within: timedelta = RUNNER_WITHIN) -> bool:
        """Wait until a runner has said who it is; False when the session ends or the deadline passes first."""
        return self._command.wait_for_output(f"@@{self._token} folder ", within)

    def wait_until_holding(self, within: timedelta = JOB_WITHIN) -> bool:
        """Wait until the apply of a `holding` workspace has the lock; False when it ends or the deadline passes first."""
        return bool(self.workspace.holding_marker) and self._command.wait_for_output(self.workspace.holding_marker, within)

    def finish(self, within: timedelta = JOB_WITHIN) -> JobOutcome:
        """Wait for the end of the job."""
        session = self._command.finish(within)
        return replace(read_outcome(session, self._steps, self._token, self._command.output_so_far()), asked=self.asked)

    def close(self) -> None:
        """Drop the session from the client's side.

        OpenTofu dies of it when it next prints, and leaves its lock behind; the runner's shell then removes the folder.
        """
        self._command.close()

    def __enter__(self) -> Self:
        """Nothing to do: the session is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the session."""
        self.close()


def start_job(channel: Channel, workspace: Workspace, steps: Sequence[Step], *, connect_within: timedelta = CONNECT_WITHIN) -> RunningJob:
    """Start a job; it runs while the caller goes on.

    Args:
        channel: Where and as whom: a `probes.ssh.Login` or a `probes.openssh.PipelineClient`.
        workspace: What to unpack.
        steps: What to run; `tofu init` comes first unless the steps have one of their own (named `init`).
        connect_within: Deadline of the login.
    """
    if not any(step.name == "init" for step in steps):
        steps = [init(workspace), *steps]
    planned, token = tuple(steps), secrets.token_hex(8)
    command = f"exec sh -c {shlex.quote(script(planned, workspace, token))}"
    running = channel.start(command, stdin=workspace.packed(), connect_within=connect_within)
    return RunningJob(running, workspace, planned, token, str(channel.address))


def run_job(
    channel: Channel,
    workspace: Workspace,
    steps: Sequence[Step],
    *,
    deadline: timedelta = JOB_WITHIN,
    connect_within: timedelta = CONNECT_WITHIN,
) -> JobOutcome:
    """Run a job to its end; see `start_job`. The session is dropped when `deadline` passes."""
    with start_job(channel, workspace, steps, connect_within=connect_within) as job:
        return job.finish(deadline)


def runner_of(lab: Lab, job: RunningJob | JobOutcome) -> Machine:
    """The machine that does a job, by the hostname that it printed.

    Raises:
        AcceptanceError: No runner of the lab has that name.
    """
    for machine in lab.runners:
        if job.runner in (machine.name, machine.address) or job.runner.partition(".")[0] == machine.name:
            return machine
    msg = f"the job ran on {job.runner or 'no runner'}, which is none of {', '.join(machine.name for machine in lab.runners)}"
    raise AcceptanceError(msg)


def release(lab: Lab, job: RunningJob) -> None:
    """Let a holding job go on, over the control channel of its runner.

    Raises:
        AcceptanceError: The runner is not known, or the release could not be written.
        ControlChannelLost: The control channel failed.
    """
    machine = runner_of(lab, job)
    result = machine.run(f"touch {shlex.quote(job.folder + '/' + RELEASE_FILE)}")
    if not result.ok:
        msg = f"the job on {machine.name} could not be released: {result.text}"
        raise AcceptanceError(msg)


def read_outcome(session: SshOutcome, steps: tuple[Step, ...], token: str, stdout: str) -> JobOutcome:
    """Read the marker lines of a job.

    Args:
        session: How the session ended.
        steps: What was planned.
        token: What the marker lines begin with.
        stdout: All that came on standard output.
    """
    results = tuple(_read_step(stdout, token, number, step) for number, step in enumerate(steps))
    return JobOutcome(_marked(stdout, token, "runner"), session, results)


def _marked(stdout: str, token: str, word: str) -> str:
    found = re.search(rf"^@@{token} {word} (.*)\n", stdout, re.MULTILINE)
    return found.group(1) if found else ""


def _read_step(stdout: str, token: str, number: int, step: Step) -> StepResult:
    begin = re.search(rf"\n@@{token} begin {number} {UPTIME}\n", stdout)
    if begin is None:
        return StepResult(step.name)
    rest = stdout[begin.end() :]
    out, _, after = rest.partition(f"\n@@{token} stderr {number}\n")
    end = re.search(rf"\n@@{token} end {number} ([0-9]{{1,3}}) {UPTIME}\n", after)
    if end is None:
        return StepResult(step.name, stdout=out, stderr=after)
    status = int(end.group(1))
    took = timedelta(seconds=float(end.group(2)) - float(begin.group(1)))
    return StepResult(step.name, status, out, after[: end.start()], took, status in step.accepts)
