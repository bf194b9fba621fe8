"""How verdicts add up, and which exit code a run deserves."""

from __future__ import annotations

from itertools import product

import pytest

from model.verdicts import ExitCode, Verdict, exit_code, worst

RANKED = [Verdict.PASSED, Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.FAILED]


def test_the_more_severe_of_two_counts() -> None:
    for one, other in product(RANKED, RANKED):
        assert worst([one, other]) is RANKED[max(RANKED.index(one), RANKED.index(other))]


def test_nothing_observed_is_not_run() -> None:
    assert worst([]) is Verdict.NOT_RUN


@pytest.mark.parametrize("dirty", [True, False])
@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("gate_met", [True, False])
def test_a_failure_outranks_everything(gate_met: bool, stopped: bool, dirty: bool) -> None:
    assert exit_code(RANKED, gate_met=gate_met, stopped=stopped, dirty=dirty) is ExitCode.FAILED


@pytest.mark.parametrize(
    ("verdicts", "gate_met", "stopped", "dirty", "code"),
    [
        ([Verdict.PASSED], True, False, False, ExitCode.OK),
        ([Verdict.PASSED], False, False, False, ExitCode.GATE_NOT_MET),
        ([Verdict.PASSED], True, True, False, ExitCode.INCONCLUSIVE),
        ([Verdict.PASSED], True, False, True, ExitCode.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.PASSED], False, False, False, ExitCode.INCONCLUSIVE),
        ([Verdict.NOT_RUN, Verdict.PASSED], True, False, False, ExitCode.OK),
        ([], False, False, False, ExitCode.GATE_NOT_MET),
    ],
)
def test_exit_codes(verdicts: list[Verdict], gate_met: bool, stopped: bool, dirty: bool, code: ExitCode) -> None:
    assert exit_code(iter(verdicts), gate_met=gate_met, stopped=stopped, dirty=dirty) is code


def test_our_codes_stand_beside_those_of_pytest() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "INTERRUPTED": 2,
        "INTERNAL_ERROR": 3,
        "USAGE_ERROR": 4,
        "INCONCLUSIVE": 10,
        "GATE_NOT_MET": 11,
    }


def test_a_run_is_neither_stopped_nor_dirty_unless_it_is_said() -> None:
    assert exit_code([Verdict.PASSED], gate_met=True) is ExitCode.OK
