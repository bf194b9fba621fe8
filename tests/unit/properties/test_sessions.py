"""What a job and `ssh` print, damaged: a step that did not end, or ended as it did; a session that came so far, or less far."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from model.lab import CommandResult
from probes.apply_outcome import apply_operation, met_own_lock
from probes.job_steps import Step
from probes.lock_error import normalise
from probes.openssh import classify, own_words
from probes.outcomes import Reached, SshOutcome
from probes.tofu import JobOutcome, read_outcome
from tests.unit.properties.damage import cut, damaged

MARKER = "c0ffee"
STEPS = (Step("clock", "date"), Step("init", "tofu init"), Step("apply", "tofu apply"))
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
LOG = """OpenSSH_9.2p1 Debian
debug1: Connecting to 10.1.0.102 [10.1.0.102] port 9000.
debug1: Server host key: ssh-ed25519 SHA256:abcdef
debug1: Authentication succeeded (publickey).
Authenticated to 10.1.0.102 ([10.1.0.102]:9000) using "publickey".
debug1: Exit status 0
"""
FAILURES = {
    "Host key verification failed.": Reached.STRANGER,
    "pipeline@10.1.0.102: Permission denied (publickey).": Reached.NOT_LET_IN,
    "ssh: connect to host 10.1.0.102 port 9000: Connection refused": Reached.REFUSED,
    "ssh: connect to host 10.1.0.102 port 9000: Connection timed out": Reached.SILENT,
    "ssh: connect to host 10.1.0.102 port 9000: No route to host": Reached.UNREACHABLE,
    "kex_exchange_identification: Connection closed by remote host": Reached.RESET,
}


def printed(steps: list[tuple[str, str, int]]) -> str:
    """As the job's script prints it: output, errors and exit status of each step that was run."""
    text = f"\n@@{MARKER} runner runner01\n\n@@{MARKER} folder /tmp/pipeline-1\n"
    for number, (out, err, status) in enumerate(steps):
        text += f"\n@@{MARKER} begin {number} {number + 1}.25\n{out}\n@@{MARKER} stderr {number}\n{err}"
        text += f"\n@@{MARKER} end {number} {status} {number + 2}.5\n"
    return text


def read(text: str) -> JobOutcome:
    """The outcome of a session that ended with what was printed."""
    return read_outcome(SshOutcome(Reached.ANSWERED, CommandResult("job", 0, text, "")), STEPS, MARKER, text)


RUNS = st.lists(st.tuples(LINES, LINES, st.sampled_from([0, 1, 124, 137])), min_size=1, max_size=3)


@given(RUNS)
def test_a_job_is_read_as_it_was_printed(steps: list[tuple[str, str, int]]) -> None:
    outcome = read(printed(steps))
    assert outcome.runner == "runner01"
    for result, (out, err, status) in zip(outcome.steps, steps, strict=False):
        assert (result.stdout, result.stderr, result.exit_status, result.accepted) == (out, err, status, status == 0)
        assert result.duration == timedelta(seconds=1.25)
    assert all(result.exit_status is None for result in outcome.steps[len(steps) :])


@given(RUNS.flatmap(lambda steps: st.tuples(st.just(steps), cut(printed(steps)))))
def test_a_job_that_was_cut_has_steps_that_did_not_end_and_no_others(case: tuple[list[tuple[str, str, int]], str]) -> None:
    steps, text = case
    outcome = read(text)
    assert outcome.runner in {"", "runner01"}
    for result, (out, err, status) in zip(outcome.steps, steps, strict=False):
        assert result.exit_status in {None, status}
        if result.exit_status is not None:
            assert (result.stdout, result.stderr) == (out, err)
        assert not result.accepted or status == 0


@given(damaged(printed([("1764000000.5", "", 0), ("ok", "", 0), ("", "Error: no\n", 1)])))
def test_any_output_of_a_job_can_be_told(text: str) -> None:
    outcome = read(text)
    assert outcome.describe()
    assert normalise(outcome.describe()) is not None
    assert met_own_lock(outcome, "key") in {True, False}
    assert apply_operation(outcome, key="key", token=MARKER, started=0.0, ended=1.0).outcome
    assert all(result.duration is not None for result in outcome.steps)


@given(st.sampled_from(["inf", "nan", "1e400", "-1e99", "²", "", "12:00"]))
def test_a_clock_that_tells_no_time_proves_nothing(said: str) -> None:
    detail = "StatusCode: 412, RequestID: A, api error PreconditionFailed: no\nLock Info:\n  ID:  a\n  Path: key\n  Who: a@runner01\n"
    created = "  Created: 2026-11-23 17:53:51 +0000 UTC\n  Info: \n"
    outcome = read(printed([(said, "", 0), ("", "", 0), ("", f"Error: Error acquiring the state lock\n\n{detail}{created}", 1)]))
    assert outcome.lock_error is not None
    assert outcome.lock_error.held_by_someone
    assert not met_own_lock(outcome, "key")


@given(st.sampled_from(sorted(FAILURES)), st.booleans())
def test_the_cause_of_a_failure_is_read_from_the_log(words: str, crlf: bool) -> None:
    text = f"OpenSSH_9.2p1\ndebug1: Connecting to 10.1.0.102 port 9000.\n{words}\n"
    assert classify(text.replace("\n", "\r\n") if crlf else text) is FAILURES[words]
    assert own_words(text) == words


@given(cut(LOG))
def test_a_log_that_was_cut_never_says_more_than_the_whole(text: str) -> None:
    assert classify(text) in {Reached.LOST, Reached.RESET}


@given(damaged(LOG, "debug1: Connection refused\n"))
def test_any_log_is_told(text: str) -> None:
    assert classify(text) in Reached
    assert isinstance(own_words(text), str)
