"""What an apply's job says about the apply: its outcome, whether the state may carry its value, whose lock it met."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from model.history import Operation, Outcome
from probes.job_steps import TIMED_OUT, Step, shell
from probes.lock_error import LockError, LockInfo
from probes.tofu import JobOutcome, StepResult

APPLY = "apply"
CLOCK = "clock"
ERRORED_STATE = "errored.tfstate"
SIGNALLED = 128
"""A shell's exit status for a command that a signal ended begins here."""

DETAIL = 600
_CREATED = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(?:Z| \+0000 UTC)", re.ASCII)


class Effect(StrEnum):
    """Whether the state carries what an apply wrote."""

    CERTAIN = "certain"
    POSSIBLE = "possible"
    NONE = "none"


def effect_of(operation: Operation) -> Effect:
    """What an apply says about its effect in the label `effect`; without one, its outcome decides."""
    told = operation.labels.get("effect")
    if told is not None:
        return Effect(told)
    return Effect.CERTAIN if operation.ok else Effect.POSSIBLE


def clock() -> Step:
    """Ask the runner for its time, so that a lock taken by the very job that follows can be told from an older one."""
    return shell(CLOCK, "date -u +%s.%N")


def apply_operation(  # noqa: PLR0913 - each argument is one fact
    outcome: JobOutcome, *, key: str, token: str, started: float, ended: float, labels: Mapping[str, str] | None = None
) -> Operation:
    """Make an operation `apply` of a job that had one step of that name.

    *ok*: the apply ended with 0 and so did the job. *unknown*: the session was lost or given up, or the apply was
    killed. *failed*: the rest. Labels: `key`, `token`, `effect`, `apply` (seconds of the step alone), and where it is so
    `own_lock`, `lock` (the ID that kept it out) and `errored_state`.

    Args:
        outcome: Of the job.
        key: Of the state.
        token: The value that was applied; no other apply uses it.
        started: When the job was begun (monotonic seconds).
        ended: When its end was known.
        labels: More of them.
    """
    applied, error = outcome.step(APPLY), _lock_error(outcome)
    known, effect = _judge(outcome, applied, error)
    said: dict[str, str] = {"key": key, "token": token, "effect": effect.value, **(labels or {})}
    if applied.exit_status is not None:
        said[APPLY] = f"{applied.duration.total_seconds():.2f}"
    if ERRORED_STATE in applied.output:
        said["errored_state"] = "yes"
    if error is not None and error.info is not None:
        said["lock"] = error.info.id
    if met_own_lock(outcome, key):
        said["own_lock"] = "yes"
    detail = "" if known is Outcome.OK else str(error or outcome)[:DETAIL]
    return Operation(APPLY, started, ended, known, outcome.runner, detail, said)


def seconds_of(operation: Operation) -> float:
    """Seconds that `tofu apply` itself took, by the runner's clock; of the whole job where that is not known."""
    return float(operation.labels.get(APPLY, operation.seconds))


def _judge(outcome: JobOutcome, applied: StepResult, error: LockError | None) -> tuple[Outcome, Effect]:
    session = outcome.session
    if applied.ok:
        return (Outcome.OK if outcome.ok else Outcome.FAILED), Effect.CERTAIN
    if not session.reached.connected:
        return Outcome.FAILED, Effect.NONE
    if applied.exit_status is None:
        before = outcome.failed_step is not applied and outcome.failed_step is not None and outcome.failed_step.exit_status is not None
        gave_up = session.result is not None and session.result.exit_status < SIGNALLED
        return (Outcome.FAILED, Effect.NONE) if before or gave_up else (Outcome.UNKNOWN, Effect.POSSIBLE)
    if error is not None and error.acquiring:
        return Outcome.FAILED, Effect.NONE
    killed = applied.exit_status in TIMED_OUT or applied.exit_status >= SIGNALLED
    return (Outcome.UNKNOWN if killed else Outcome.FAILED), Effect.POSSIBLE


def _lock_error(outcome: JobOutcome) -> LockError | None:
    return outcome.step(APPLY).lock_error


def met_own_lock(outcome: JobOutcome, key: str) -> bool:
    """Tell whether an apply was kept out by the lock that it had itself taken (opentofu#4405).

    The store took the lock but its answer was lost; the SDK sent the request again and met the lock. Such a lock names
    the runner of the job, and was created on it after the job's step `clock`. That no other apply of that state ran
    on this runner meanwhile is for the caller to know.

    Args:
        outcome: Of a job with the steps `clock` and `apply`.
        key: Of the state.
    """
    error = _lock_error(outcome)
    if error is None or not error.held_by_someone or error.info is None or not outcome.runner:
        return False
    try:
        began = datetime.fromtimestamp(float(outcome.step(CLOCK).stdout), UTC)
    except (KeyError, ValueError, OverflowError):
        return False
    created = created_at(error.info)
    return error.info.hostname == outcome.runner and error.info.path.endswith(key) and created is not None and created >= began


def created_at(info: LockInfo) -> datetime | None:
    """When a lock was taken, by the holder's clock; None where it does not say.

    RFC 3339 in the lock object, Go's notation in messages, both UTC.
    """
    found = _CREATED.fullmatch(info.created)
    if found is None:
        return None
    date, hour, fraction = found.groups()
    try:
        return datetime.fromisoformat(f"{date}T{hour}{fraction or ''}+00:00")
    except ValueError:
        return None
