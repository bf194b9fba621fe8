"""Jobs of one lab: every one is told in the transcript, none is left running."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from model.errors import AcceptanceError, PromiseBroken
from model.lab import COMMAND_DEADLINE, CommandResult, Fleet, Lab, Machine, PublishedKeys, Store
from model.topology import Address, topology
from probes.job_steps import Step, migrate, tofu
from probes.jobs import HOLD_WITHIN, JobClient, hold
from probes.outcomes import CONNECT_WITHIN, EndedCommand, Reached, RunningCommand, SshOutcome
from probes.starting_line import WAIT_SECONDS, StartingLine
from probes.tofu import JOB_WITHIN, JobOutcome, RunningJob, StepResult, release
from probes.workspace import Workspace, counted, holding
from tests.unit.probes_more.test_condition import FakeMachine

APPLY = tofu("apply", "apply")


class FakeCommand(RunningCommand):
    """A session whose output and end the test decides."""

    def __init__(self) -> None:
        """Running, silent."""
        self.output, self.is_over, self.closed = "", False, 0
        self.finished_within: timedelta | None = None

    def output_so_far(self) -> str:
        return self.output

    @property
    def ended(self) -> bool:
        return self.is_over

    def finish(self, within: timedelta) -> SshOutcome:
        self.finished_within, self.is_over = within, True
        return SshOutcome(Reached.ANSWERED, CommandResult("job", 0, self.output, ""))

    def close(self) -> None:
        self.closed += 1


class FakeChannel:
    """Hands out sessions, or fails to."""

    def __init__(self) -> None:
        """Lets everybody in."""
        self.address = Address("10.1.0.102", 9000)
        self.sessions: list[FakeCommand] = []
        self.refuses = False
        self.stdin = b""

    def start(self, command: str, *, stdin: bytes | None = None, connect_within: timedelta = CONNECT_WITHIN) -> RunningCommand:
        if self.refuses:
            return EndedCommand(SshOutcome(Reached.REFUSED, detail="Connection refused"))
        assert stdin is not None
        self.stdin = stdin
        self.sessions.append(FakeCommand())
        return self.sessions[-1]


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def workspace() -> Workspace:
    return counted("acceptance/run/one/terraform.tfstate", "value")


@pytest.fixture
def client() -> JobClient:
    plan = topology("single", 3)
    machines: dict[str, Machine] = {spec.name: FakeMachine(spec) for spec in plan.machines}
    fleet = Fleet(plan.runner_endpoint, "pipeline", Path("/nowhere"), PublishedKeys(""))
    return JobClient(Lab("a", "fake", plan, machines, fleet, Store(plan.storage_endpoint, "b", "admin", "hunter2-and-more")), 2.0)


def says(job: RunningJob, session: FakeCommand, runner: str, *more: str) -> None:
    session.output += f"@@{job._token} runner {runner}\n@@{job._token} folder /tmp/job\n" + "".join(f"{line}\n" for line in more)


def test_a_job_is_told_once_it_ended(client: JobClient, channel: FakeChannel, workspace: Workspace) -> None:
    job = client.start(channel, workspace, APPLY)
    assert (client.running, client.transcript) == ([job], [])
    assert channel.stdin == workspace.packed() or len(channel.stdin) == len(workspace.packed())
    says(job, channel.sessions[0], "runner02")
    outcome = client.finish(job)
    assert outcome.runner == "runner02"
    assert client.running == []
    (told,) = client.transcript
    assert told.startswith(f"{workspace.key}\n")
    assert channel.sessions[0].finished_within == JOB_WITHIN * 2, "a deadline of ours is stretched by patience"


def test_a_job_that_was_never_let_in_is_told_too(client: JobClient, channel: FakeChannel, workspace: Workspace) -> None:
    channel.refuses = True
    outcome = client.finish(client.start(channel, workspace, APPLY))
    assert outcome.session.reached is Reached.REFUSED
    assert not outcome.ok
    assert "refused" in client.transcript[0]
    with pytest.raises(AcceptanceError, match="ran on no runner, which is none of runner01, runner02, runner03"):
        client.runner(outcome)


@pytest.mark.parametrize("said", ["runner02", "10.1.0.104", "runner02.lab.example"])
def test_the_runner_is_found_by_what_it_said(client: JobClient, channel: FakeChannel, workspace: Workspace, said: str) -> None:
    job = client.start(channel, workspace, APPLY)
    says(job, channel.sessions[0], said)
    assert client.runner(job).name == "runner02"
    assert [runner.name for runner in client.other_runners(client.runner(job))] == ["runner01", "runner03"]


def test_a_stranger_is_not_taken_for_a_runner(client: JobClient, channel: FakeChannel, workspace: Workspace) -> None:
    job = client.start(channel, workspace, APPLY)
    says(job, channel.sessions[0], "runner020")
    with pytest.raises(AcceptanceError, match="runner020"):
        client.runner(job)


def test_jobs_that_nobody_waits_for_are_dropped_once(client: JobClient, channel: FakeChannel, workspace: Workspace) -> None:
    waited_for = client.start(channel, workspace, APPLY)
    client.start(channel, workspace, APPLY)
    client.start(channel, workspace, APPLY)
    client.finish(waited_for)
    client.abandon()
    client.abandon()
    assert [session.closed for session in channel.sessions] == [0, 1, 1]
    assert client.running == []


def test_a_job_whose_end_cannot_be_had_is_still_dropped(client: JobClient, channel: FakeChannel, workspace: Workspace) -> None:
    job = client.start(channel, workspace, APPLY)

    def broken(within: timedelta) -> SshOutcome:
        msg = "our client broke"
        raise RuntimeError(msg)

    channel.sessions[0].finish = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        client.finish(job)
    client.abandon()
    assert channel.sessions[0].closed == 1


def test_a_holder_is_known_once_it_says_that_it_holds(client: JobClient, channel: FakeChannel) -> None:
    workspace = holding("acceptance/run/one/terraform.tfstate", "value")
    job = client.start(channel, workspace, APPLY)
    says(job, channel.sessions[0], "runner03", workspace.holding_marker)
    holder = hold(client, job, 4)
    assert (holder.machine.name, holder.serial_before, holder.workspace) == ("runner03", 4, workspace)
    assert client.running == [job], "it goes on holding"


def test_a_job_that_ends_before_it_holds_is_not_a_holder(client: JobClient, channel: FakeChannel) -> None:
    job = client.start(channel, holding("key", "value"), APPLY)
    says(job, channel.sessions[0], "runner03", "Error: no such bucket")
    channel.sessions[0].is_over = True
    with pytest.raises(PromiseBroken, match=r"an apply at runner03 to come so far that it holds the lock; observed:\nthe job on runner03"):
        hold(client, job, 0)
    assert client.running == []


def test_a_job_that_never_holds_is_left_to_be_dropped(client: JobClient, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    job = client.start(channel, holding("key", "value"), APPLY)
    waited: list[timedelta] = []
    monkeypatch.setattr(RunningJob, "wait_until_holding", lambda _job, within: bool(waited.append(within)))  # type: ignore[func-returns-value]
    says(job, channel.sessions[0], "runner03", "still initializing")
    with pytest.raises(PromiseBroken, match="still initializing"):
        hold(client, job, 0)
    assert waited == [HOLD_WITHIN * 2]
    assert client.running == [job]


def test_the_marker_is_not_in_what_is_echoed() -> None:
    workspace = holding("key", "value")
    assert workspace.holding_marker not in workspace.files["hold.tf"]
    assert not counted("key", "value").holding_marker


class Touched(FakeMachine):
    """Where a release is written, or cannot be."""

    refuses = False
    commands: tuple[str, ...] = ()

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        del timeout, stdin
        self.commands += (command,)
        return CommandResult(command, int(self.refuses), "", "no space left on device" if self.refuses else "")


@pytest.fixture
def runner(client: JobClient) -> Touched:
    machine = Touched(client.lab.runners[1].spec)
    client.lab.machines["runner02"] = machine
    return machine


def test_who_was_to_be_kept_out_and_is_not_is_released_at_once(
    client: JobClient, channel: FakeChannel, runner: Touched, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = holding("acceptance/run/one/terraform.tfstate", "value")

    def started(at: JobClient, machine: Machine, packed: Workspace, *steps: Step) -> RunningJob:
        assert machine is runner
        job = at.start(channel, packed, *steps)
        says(job, channel.sessions[-1], "runner02", *marks)
        channel.sessions[-1].is_over = not marks
        return job

    def holds(job: RunningJob, within: timedelta) -> bool:
        assert within == HOLD_WITHIN * 2, "a deadline of ours is stretched by patience"
        return look(job, within)

    look = RunningJob.wait_until_holding
    monkeypatch.setattr(RunningJob, "wait_until_holding", holds)
    monkeypatch.setattr(JobClient, "start_on", started)
    marks: list[str] = []
    assert client.intrude(runner, workspace, APPLY).runner == "runner02"
    assert not runner.commands
    marks.append(workspace.holding_marker)
    assert client.intrude(runner, workspace, APPLY).runner == "runner02"
    assert list(runner.commands) == ["touch /tmp/job/release"]
    assert client.running == []


def test_a_release_that_cannot_be_written_is_told(client: JobClient, channel: FakeChannel, runner: Touched, workspace: Workspace) -> None:
    job = client.start(channel, workspace, APPLY)
    says(job, channel.sessions[0], "runner02")
    release(client.lab, job)
    runner.refuses = True
    with pytest.raises(AcceptanceError, match="the job on runner02 could not be released: no space left on device"):
        release(client.lab, job)


def test_where_no_runner_is_known_it_is_who_was_asked() -> None:
    ended = SshOutcome(Reached.REFUSED)
    assert JobOutcome("runner02", ended, (), "10.1.0.102:9000").who == "runner02"
    assert JobOutcome("", ended, (), "10.1.0.102:9000").who == "10.1.0.102:9000"


def test_patience_is_not_stretched_unless_it_is_said(client: JobClient) -> None:
    assert JobClient(client.lab).patience == 1


def test_a_state_is_moved_where_that_is_approved(workspace: Workspace) -> None:
    assert (migrate(workspace).name, migrate(workspace, approved=False).name) == ("migrate", "migrate")
    assert migrate(workspace).command.endswith(" -migrate-state -force-copy")
    assert migrate(workspace, approved=False).command.endswith(" -migrate-state")


def test_after_a_tolerant_step_a_job_goes_on_whatever_a_process_may_end_with() -> None:
    assert APPLY.tolerant().accepts == frozenset(range(256))
    assert APPLY.accepts == {0}


def test_a_job_tells_how_far_each_step_came() -> None:
    second = timedelta(seconds=1)
    steps = (StepResult("one", 0, duration=second, accepted=True), StepResult("two", None, "cut", duration=second))
    lost = JobOutcome("runner02", SshOutcome(Reached.LOST, detail="the session was lost"), steps)
    assert lost.describe().split("\n") == [
        "the job on runner02: session lost, exit status None",
        "  one: exit status 0, 1.00 s",
        "  two: did not end, 1.00 s",
        "cut",
        "the session was lost",
    ]
    assert lost.exit_status is None
    failed = replace(lost, steps=(replace(steps[1], exit_status=3),))
    assert failed.exit_status == 3
    ended = SshOutcome(Reached.ANSWERED, CommandResult("job", 7, "", ""))
    assert replace(failed, steps=steps[:1], session=ended).exit_status == 7


LONG = "begin\n" + "line\n" * 1000 + "end"


def test_the_error_of_a_step_is_told_from_its_first_word_on() -> None:
    step = StepResult("apply", 1, stdout="Initializing\n", stderr="\nError: no lock\n\n  Who: alice\n")
    assert step.error == "Error: no lock Who: alice"
    assert JobOutcome("runner02", SshOutcome(Reached.ANSWERED), (step,)).describe().endswith(f"\n{step.error}")


@pytest.mark.parametrize("detail", ["", "in the client's words"])
def test_of_much_output_the_end_is_told(detail: str) -> None:
    ended = SshOutcome(Reached.ANSWERED, CommandResult("job", 1, LONG, ""), detail=detail)
    failed = JobOutcome("runner02", SshOutcome(Reached.ANSWERED), (StepResult("apply", 1, stdout=LONG),)).describe()
    nowhere = JobOutcome("", ended, (), "10.1.0.102:9000").describe()
    for told in (failed, *([] if detail else [nowhere])):
        assert told.endswith("line\nend")
        assert "begin" not in told
        assert len(told) < 2200
    assert nowhere.endswith(detail or "end")
    assert not JobOutcome("runner02", ended, ()).describe().endswith("end")


@pytest.mark.parametrize(("status", "late"), [(124, True), (137, True), (136, False), (138, False), (0, False), (None, False)])
def test_a_step_that_had_to_be_ended_was_late(status: int | None, late: bool) -> None:
    assert StepResult("apply", status).timed_out is late


def test_who_waits_at_the_starting_line_gives_up_by_itself() -> None:
    assert StartingLine().step.deadline > timedelta(seconds=WAIT_SECONDS)
