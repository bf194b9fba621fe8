"""Pipeline jobs in a loop: each applies a value of its own, so that the state's history can be held against theirs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from model.errors import AcceptanceError
from model.history import Operation, Operations, Outcome
from model.lab import Lab, Machine
from model.waiting import wait_until
from probes import job_steps as do
from probes.apply_outcome import APPLY, apply_operation, clock
from probes.clients.paced import LONGEST, Client
from probes.outcomes import Channel
from probes.ssh import fleet_login, runner_login
from probes.tofu import JOB_WITHIN, JobOutcome, RunningJob, start_job
from probes.workspace import Workspace, counted, fresh_value

MOST = 1000
STOP_WITHIN = timedelta(seconds=30)
"""An apply that was begun should end: cut short, it leaves a lock behind."""

CUT_WITHIN_SECONDS = 5.0


class ApplyLoop(Client):
    """Applies a change again and again, one writer per state.

    Each is an operation `apply`, see `probes.apply_outcome.apply_operation` for its labels. One that met its own lock
    (opentofu#4405) is followed by an operation `unlock` and, once, by an apply with the label `repeats`.

    Attributes:
        lab: Where.
        keys: States, each with a writer of its own.
    """

    def __init__(  # noqa: PLR0913 - each argument is one sentence of the contract
        self,
        lab: Lab,
        keys: Sequence[str],
        runners: Sequence[Machine] | None = None,
        *,
        unlock_own: bool = True,
        every: timedelta = timedelta(),
        apply_within: timedelta = do.STEP_WITHIN,
        most: int = MOST,
        longest: timedelta = LONGEST,
    ) -> None:
        """Prepare; nothing is applied yet.

        Args:
            lab: Where.
            keys: State keys in the folder of the scenario, at least one.
            runners: Who does the jobs, in turn; without any, whoever the endpoint chooses.
            unlock_own: Release a lock that an apply itself had taken and was kept out by, and repeat it once.
            every: Least time between two beginnings of one writer.
            apply_within: An apply that takes longer is interrupted, and its outcome *unknown*.
            most: After so many applies a writer ends by itself.
            longest: After so long a writer ends by itself.

        Raises:
            AcceptanceError: There is no key, or one twice.
        """
        super().__init__("applies in a loop")
        if not keys or len(set(keys)) != len(keys):
            msg = f"an apply loop needs states of its own, each once, not {list(keys)}"
            raise AcceptanceError(msg)
        self.lab, self.keys, self.unlock_own = lab, tuple(keys), unlock_own
        self._channels: list[Channel] = [runner_login(lab, runner) for runner in runners] if runners else [fleet_login(lab)]
        self._every, self._apply_within, self._most, self._longest = every, apply_within, most, longest
        self._stopping, self._cut = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._jobs: dict[str, RunningJob] = {}

    def start(self) -> Self:
        """Begin, in the network of the calling thread.

        Raises:
            AcceptanceError: A thread cannot be started, or it was started before.
        """
        if self._threads:
            msg = "the apply loop was started before"
            raise AcceptanceError(msg)
        for number, key in enumerate(self.keys):
            thread = threading.Thread(target=self._write, args=(key, number), name=f"applies {key}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self.stop()
                msg = f"the apply loop cannot start: {error}"
                raise AcceptanceError(msg) from error
            self._threads.append(thread)
        return self

    @property
    def running(self) -> bool:
        """Whether a writer still works."""
        return any(thread.is_alive() for thread in self._threads)

    def stop(self, within: timedelta = STOP_WITHIN) -> None:
        """Begin nothing more; a job that does not end within the time is cut, its outcome *unknown*."""
        self._stopping.set()
        ends = time.monotonic() + within.total_seconds()
        for thread in self._threads:
            thread.join(max(ends - time.monotonic(), 0))
        self._cut.set()
        for job in list(self._jobs.values()):
            job.close()
        for thread in self._threads:
            thread.join(CUT_WITHIN_SECONDS)
        self.history.give_up("not ended when the client was stopped")

    def await_each(self, count: int, *, since: float, within: timedelta) -> None:
        """Wait until every writer has ended so many applies that it began since a moment: one that hangs is not made up for by another.

        Args:
            count: How many.
            since: Monotonic seconds.
            within: Deadline; bounds our patience, no promise.

        Raises:
            AcceptanceError: There were not as many, or the client broke.
        """
        wait_until(
            lambda: min(len(self.applies.labelled(key=key).opened_after(since).ended) for key in self.keys),
            lambda ended: ended >= count or bool(self.broken),
            what=f"each writer of the client '{self.history.name}' has ended {count} applies",
            within=within,
            every=timedelta(milliseconds=50),
            error=AcceptanceError,
        )
        self.check()

    @property
    def applies(self) -> Operations:
        """All applies."""
        return self.operations.named(APPLY)

    @property
    def own_locks(self) -> Operations:
        """Applies that were kept out by their own lock."""
        return self.applies.labelled(own_lock="yes")

    @property
    def unexcused(self) -> Operations:
        """Applies that did not do what was asked, but for those that met their own lock and succeeded when repeated."""
        repeated = {each.labels.get("repeats") for each in self.applies.ok}
        return self.applies.ended.where(lambda each: not each.ok and not ("own_lock" in each.labels and each.labels["token"] in repeated))

    def longest_apply(self) -> Operation | None:
        """The apply whose job took longest: reading the state in `tofu init` is what a pipeline waits for, too."""
        return self.applies.longest()

    def _write(self, key: str, first: int) -> None:
        began = time.monotonic()
        try:
            for number in range(self._most):
                due = time.monotonic() + self._every.total_seconds()
                self._apply(key, self._channels[(first + number) % len(self._channels)])
                left = due - time.monotonic()
                if self._stopping.wait(max(left, 0)) or time.monotonic() - began > self._longest.total_seconds():
                    return
        except Exception as error:  # noqa: BLE001 - whatever our code does wrong must be told, and not die in a thread
            self.broken.append(f"{type(error).__name__}: {error}")

    def _apply(self, key: str, channel: Channel) -> None:
        done = self._once(key, channel)
        if not (self.unlock_own and "own_lock" in done.labels):
            return
        begun = self.history.begin("unlock", key=key, lock=done.labels["lock"])
        outcome = self._job(key, channel, counted(key, fresh_value()), do.force_unlock(done.labels["lock"]))
        begun.end(Outcome.OK if outcome.ok else Outcome.FAILED, who=outcome.runner, detail="" if outcome.ok else str(outcome))
        self._once(key, channel, repeats=done.labels["token"])

    def _once(self, key: str, channel: Channel, **labels: str) -> Operation:
        token = fresh_value()
        begun = self.history.begin(APPLY, key=key, token=token, **labels)
        outcome = self._job(key, channel, counted(key, token), clock(), do.apply().within(self._apply_within))
        started = begun.operation.started
        done = apply_operation(outcome, key=key, token=token, started=started, ended=self.history.now(), labels=labels)
        return begun.end(done.outcome, who=done.who, detail=done.detail, ended=done.ended, labels=done.labels)

    def _job(self, key: str, channel: Channel, workspace: Workspace, *steps: do.Step) -> JobOutcome:
        with start_job(channel, workspace, steps) as job:
            self._jobs[key] = job
            if self._cut.is_set():
                job.close()
            try:
                return job.finish(JOB_WITHIN)
            finally:
                del self._jobs[key]
