"""What a job says about an apply: three outcomes, three effects, and whose lock it met."""

from __future__ import annotations

import pytest

from model.history import Operation, Outcome
from probes.apply_outcome import Effect, apply_operation, created_at, effect_of, met_own_lock, seconds_of
from probes.lock_error import LockInfo
from probes.outcomes import Reached
from probes.tofu import JobOutcome
from tests.unit.history.conftest import CREATED, KEY, job, said

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
CERTAIN, POSSIBLE, NONE = Effect.CERTAIN, Effect.POSSIBLE, Effect.NONE
REFUSED = said("refused_apply.txt")
VALUE = "3f0c"
LOCK_ID = "da701dec-121a-2203-4176-ec02b79d5e60"


def operation(outcome: JobOutcome) -> Operation:
    return apply_operation(outcome, key=KEY, token=VALUE, started=10, ended=15)


@pytest.mark.parametrize(
    ("outcome", "known", "effect"),
    [
        pytest.param(job(0), OK, CERTAIN, id="ended with 0"),
        pytest.param(job(0, reached=Reached.LOST), FAILED, CERTAIN, id="acknowledged, then the session was lost"),
        pytest.param(job(None, reached=Reached.LOST), UNKNOWN, POSSIBLE, id="session lost in the middle"),
        pytest.param(job(None, reached=Reached.LATE), UNKNOWN, POSSIBLE, id="given up"),
        pytest.param(job(124, "Interrupt received."), UNKNOWN, POSSIBLE, id="interrupted at its deadline"),
        pytest.param(job(137), UNKNOWN, POSSIBLE, id="killed"),
        pytest.param(job(143), UNKNOWN, POSSIBLE, id="terminated"),
        pytest.param(job(None, session_status=143), UNKNOWN, POSSIBLE, id="the whole job was terminated"),
        pytest.param(job(None, reached=Reached.REFUSED, runner=""), FAILED, NONE, id="nobody let it in"),
        pytest.param(job(None, session_status=97, runner=""), FAILED, NONE, id="no folder on the runner"),
        pytest.param(job(None, session_status=1, init_status=1), FAILED, NONE, id="init failed"),
        pytest.param(job(None, reached=Reached.LOST, init_status=1), FAILED, NONE, id="init failed, then the session was lost"),
        pytest.param(job(None, reached=Reached.LOST, init_status=None), UNKNOWN, POSSIBLE, id="session lost while init ran"),
        pytest.param(job(127), FAILED, POSSIBLE, id="no such program"),
        pytest.param(job(128), UNKNOWN, POSSIBLE, id="ended by a signal"),
        pytest.param(job(None, session_status=127), FAILED, NONE, id="the job gave up by itself"),
        pytest.param(job(None, session_status=128), UNKNOWN, POSSIBLE, id="the whole job was ended by a signal"),
        pytest.param(job(1, REFUSED), FAILED, NONE, id="refused the lock"),
        pytest.param(job(1, said("refused_forbidden.txt")), FAILED, NONE, id="may not take the lock"),
        pytest.param(job(1, said("releasing_lost_lock.txt")), FAILED, POSSIBLE, id="could not give the lock back"),
        pytest.param(job(1, "Error: Failed to save state"), FAILED, POSSIBLE, id="could not save the state"),
    ],
)
def test_outcome_and_effect(outcome: JobOutcome, known: Outcome, effect: Effect) -> None:
    made = operation(outcome)
    assert (made.outcome, effect_of(made)) == (known, effect)
    assert (made.detail == "") == made.ok


def test_what_went_wrong_is_told_and_cut_where_it_is_long() -> None:
    failed = job(1, "Error: Failed to save state " + "x" * 1000)
    assert operation(failed).detail == str(failed)[:600]
    assert len(operation(failed).detail) == 600
    assert operation(job(1, REFUSED)).detail == str(job(1, REFUSED).step("apply").lock_error)[:600]


def test_without_a_label_the_outcome_tells_the_effect() -> None:
    effects = [effect_of(Operation("apply", 0, 1, outcome)) for outcome in (OK, FAILED, UNKNOWN)]
    assert effects == [CERTAIN, POSSIBLE, POSSIBLE]


def test_the_apply_itself_is_measured_where_it_ended() -> None:
    assert seconds_of(operation(job(0))) == 3.0
    assert seconds_of(operation(job(None, reached=Reached.LOST))) == 5.0


def test_a_state_that_could_not_be_stored_is_told() -> None:
    assert operation(job(1, 'Error: ... written to the file "errored.tfstate"')).labels["errored_state"] == "yes"
    assert "errored_state" not in operation(job(1, "Error: no")).labels


def test_the_own_lock_names_the_runner_and_is_younger_than_the_job() -> None:
    assert met_own_lock(job(1, REFUSED, began=CREATED), KEY), "taken at the very moment"
    made = operation(job(1, REFUSED))
    assert (made.labels["own_lock"], made.labels["lock"]) == ("yes", LOCK_ID)


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(job(1, REFUSED, runner="runner02"), id="another runner's"),
        pytest.param(job(1, REFUSED, runner="runner010"), id="a runner with a longer name"),
        pytest.param(job(1, REFUSED, began=CREATED + 0.5), id="older than the job"),
        pytest.param(job(1, REFUSED.replace("slug", "other")), id="another state's"),
        pytest.param(job(1, REFUSED.replace("2026-11-23 17", "once upon a time 17")), id="of no time"),
        pytest.param(job(1, said("refused_forbidden.txt")), id="nobody's"),
        pytest.param(job(1, said("releasing_foreign_lock.txt")), id="a lock that could not be released"),
        pytest.param(job(1, said("releasing_foreign_lock.txt"), runner="runner02"), id="a lock that its own runner could not release"),
        pytest.param(job(0), id="no refusal"),
    ],
)
def test_what_is_not_its_own_lock(outcome: JobOutcome) -> None:
    assert not met_own_lock(outcome, KEY)
    assert "own_lock" not in operation(outcome).labels


@pytest.mark.parametrize("written", ["2026-11-23T17:53:51.122277818Z", "2026-11-23 17:53:51.122277818 +0000 UTC"])
def test_both_notations_of_time_are_read(written: str) -> None:
    made = created_at(LockInfo("id", created=written))
    assert made is not None
    assert made.timestamp() == pytest.approx(CREATED, abs=1e-5)


def test_a_time_without_a_fraction_is_read() -> None:
    made = created_at(LockInfo("id", created="2026-11-23T17:53:51Z"))
    assert made is not None
    assert made.timestamp() == pytest.approx(int(CREATED))
