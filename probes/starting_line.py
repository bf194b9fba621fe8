"""A starting line for jobs on several runners: all are ready before one goes."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from model.errors import AcceptanceError
from model.lab import Machine
from probes.job_steps import Step, shell
from probes.tofu import RunningJob

READY_WITHIN = timedelta(seconds=60)
WAIT_SECONDS = 120


class StartingLine:
    """Jobs wait at it until all have come, and are sent off together."""

    def __init__(self) -> None:
        """Give it a name that nobody can guess."""
        self._token = secrets.token_hex(8)

    @property
    def _flag(self) -> str:
        return f"/tmp/starting-line-{self._token}"  # noqa: S108 - unguessable, on the runner

    @property
    def step(self) -> Step:
        """The step of a job at which it waits."""
        wait = (
            f"printf '%s%s\\n' READY- {self._token}; i=0; while [ ! -e {self._flag} ]; do i=$((i+1)); "
            f"[ $i -le {WAIT_SECONDS * 50} ] || exit 3; sleep 0.02; done"
        )
        return shell("starting line", wait).within(timedelta(seconds=WAIT_SECONDS + 10))

    def await_ready(self, jobs: list[RunningJob]) -> None:
        """Wait until every job is at the line.

        Raises:
            AcceptanceError: One did not come that far.
        """
        for job in jobs:
            if not job.wait_for_output(f"READY-{self._token}", READY_WITHIN):
                raise AcceptanceError(f"a job did not come to the starting line: {job.output_so_far()[-1000:]}")

    def send_off(self, runners: list[Machine]) -> None:
        """Let all jobs on these runners go, at the same moment as far as a control channel can."""
        with ThreadPoolExecutor(max_workers=len(runners)) as pool:
            list(pool.map(lambda runner: runner.run(f"touch {self._flag}"), runners))

    def clear(self, runners: list[Machine]) -> None:
        """Remove the flag from the runners."""
        for runner in runners:
            runner.run(f"rm -f {self._flag}")
