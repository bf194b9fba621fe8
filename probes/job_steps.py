"""Steps of a pipeline job, and the shell script that runs them on a runner.

The script prints marker lines with a token that no output can contain by chance; between them each step's standard
output as it comes, then its standard error. The folder is removed however the job ends.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import timedelta

from probes.workspace import Workspace

STEP_WITHIN = timedelta(seconds=90)
INTERRUPT_GRACE_SECONDS = 10
CHANGES = 2
"""`plan -detailed-exitcode`: there are changes (OpenTofu `internal/command/plan.go`)."""

ANY_STATUS = frozenset(range(256))
RUNNER_SETTINGS = "TF_CLI_ARGS_init"
MARK = "TOFU_HA_ACCEPTANCE"
"""In the environment of everything that a job of ours runs: by it, it is told from what others do on a runner."""

TIMED_OUT = (124, 137)
"""Exit status of `timeout(1)` when it had to interrupt, and when it had to kill."""


@dataclass(frozen=True)
class Step:
    """One command of a job.

    Attributes:
        name: How the outcome calls it.
        command: For the runner's shell, in the folder of the workspace.
        deadline: `timeout` interrupts it then, and kills it ten seconds later.
        accepts: Exit statuses after which the job goes on.
        own_backend: Whether the runner's backend settings are left out.
    """

    name: str
    command: str
    deadline: timedelta = STEP_WITHIN
    accepts: frozenset[int] = frozenset({0})
    own_backend: bool = False

    def within(self, deadline: timedelta) -> Step:
        """The same step with another deadline."""
        return replace(self, deadline=deadline)

    def tolerant(self) -> Step:
        """The same step, after which the job goes on whatever its exit status."""
        return replace(self, accepts=ANY_STATUS)

    def named(self, name: str) -> Step:
        """The same step under another name, where a job has it twice."""
        return replace(self, name=name)


def shell(name: str, command: str) -> Step:
    """Any shell command."""
    return Step(name, command)


def tofu(name: str, *arguments: str) -> Step:
    """`tofu` with these arguments."""
    return Step(name, shlex.join(["tofu", *arguments]))


def init(workspace: Workspace, *arguments: str) -> Step:
    """`tofu init` with the state key of the workspace; the runner's settings say the rest."""
    return tofu("init", "init", "-input=false", "-no-color", f"-backend-config=key={workspace.key}", *arguments)


def init_local() -> Step:
    """`tofu init` of a workspace with local state, or with a complete backend block of its own."""
    return replace(tofu("init", "init", "-input=false", "-no-color"), own_backend=True)


def use_lab_backend() -> Step:
    """Replace local state by the lab's backend in the configuration of `probes.workspace.local`."""
    return shell("use lab backend", "mv backend.tf.later backend.tf")


def migrate(workspace: Workspace, *, approved: bool = True) -> Step:
    """`tofu init -migrate-state`; without approval it must refuse, as there is nobody to ask."""
    step = init(workspace, "-migrate-state", *(["-force-copy"] if approved else []))
    return step.named("migrate")


def plan(*arguments: str) -> Step:
    """`tofu plan -detailed-exitcode`; changes are no failure."""
    return replace(tofu("plan", "plan", "-input=false", "-no-color", "-detailed-exitcode", *arguments), accepts=frozenset({0, CHANGES}))


def apply(*arguments: str, lock_timeout: timedelta | None = None) -> Step:
    """`tofu apply -auto-approve`, waiting for the lock if told so."""
    wait = [f"-lock-timeout={lock_timeout.total_seconds():g}s"] if lock_timeout else []
    return tofu("apply", "apply", "-input=false", "-no-color", "-auto-approve", *wait, *arguments)


def destroy() -> Step:
    """`tofu destroy -auto-approve`."""
    return tofu("destroy", "destroy", "-input=false", "-no-color", "-auto-approve")


def state_pull() -> Step:
    """`tofu state pull`: the state on standard output."""
    return tofu("state pull", "state", "pull")


def output_json() -> Step:
    """`tofu output -json`."""
    return tofu("output", "output", "-json")


def force_unlock(lock_id: str) -> Step:
    """`tofu force-unlock -force ID`."""
    return tofu("force-unlock", "force-unlock", "-force", lock_id)


def script(steps: tuple[Step, ...], workspace: Workspace, token: str) -> str:
    """Write the job for a POSIX shell; the workspace comes as a tar on standard input.

    Args:
        steps: What to run, in order; the first whose exit status is not accepted ends the job with that status.
        workspace: Whether it brings its own backend.
        token: What marker lines begin with, after `@@`.
    """
    body = [
        f"umask 077; export {MARK}={shlex.quote(workspace.key)}",
        'job=$(mktemp -d "${TMPDIR:-/tmp}/pipeline-XXXXXXXXXX") || exit 97',
        "trap 'rm -rf \"$job\"' EXIT",
        "trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM",
        'mkdir "$job/work" && cd "$job/work" && tar -xf - || exit 98',
        'now() { read -r up rest </proc/uptime; printf %s "$up"; }',
        f"mark() {{ printf '\\n@@{token} %s\\n' \"$*\"; }}",
        'mark runner "$(hostname)"; mark folder "$job"',
    ]
    for number, step in enumerate(steps):
        unset = f"-u {RUNNER_SETTINGS} " if step.own_backend or workspace.own_backend else ""
        limit = f"timeout --signal=INT --kill-after={INTERRUPT_GRACE_SECONDS} {step.deadline.total_seconds():g}"
        accepted = "*" if step.accepts == ANY_STATUS else "|".join(map(str, sorted(step.accepts)))
        body += [
            f'mark begin {number} "$(now)"',
            f'env {unset}{limit} sh -c {shlex.quote(step.command)} 2>"$job/stderr" </dev/null; status=$?',
            f'ended=$(now); mark stderr {number}; cat "$job/stderr"; mark end {number} $status "$ended"',
            f"case $status in {accepted}) ;; *) exit $status ;; esac",
        ]
    return "\n".join([*body, "exit 0", ""])
