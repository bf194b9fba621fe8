"""What is taken down of a scenario, where nothing is said otherwise, and what a verdict makes of a sentence."""

from __future__ import annotations

import pytest

from model.story import LabFacts, PhaseResult, SentenceResult, Status, SuiteFacts
from model.verdicts import Verdict


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.PASSED, Status.PASSED),
        (Verdict.FAILED, Status.FAILED),
        (Verdict.INCONCLUSIVE, Status.INCONCLUSIVE),
        (Verdict.NOT_RUN, Status.SKIPPED),
    ],
)
def test_what_a_verdict_makes_of_the_sentence_that_led_to_it(verdict: Verdict, status: Status) -> None:
    assert Status.of(verdict) is status


def test_what_was_not_reached_took_no_time() -> None:
    sentence = SentenceResult("Given", "a state", 3)
    assert (sentence.seconds, sentence.status, sentence.started) == (0, Status.SKIPPED, None)
    assert str(sentence) == "Given a state"
    assert PhaseResult("set-up", 1, Status.PASSED).started == 0


def test_of_a_lab_and_a_suite_nothing_is_made_up() -> None:
    lab = LabFacts("lab", ())
    assert (lab.versions, lab.backend, lab.balancer, lab.baseline, lab.seconds, lab.up) == ({}, {}, {}, "", 0, 0)
    suite = SuiteFacts()
    assert (suite.version, suite.commit, suite.modified, suite.python, suite.host, suite.command) == ("", "", False, "", "", ())
