"""The four verdicts, how they add up, and what exit code a run deserves."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """What is known about a promise after a run."""

    PASSED = "passed"
    NOT_RUN = "not run"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"

    @property
    def severity(self) -> int:
        """Rank for aggregation: failed > inconclusive > not run > passed."""
        return list(Verdict).index(self)


class Gate(StrEnum):
    """What a run must have observed to be green."""

    ALL = "all"
    SELECTED = "selected"
    HARMLESS = "harmless"


class ExitCode(IntEnum):
    """Exit codes of a run, beside pytest's own 2 to 5."""

    OK = 0
    FAILED = 1
    INTERRUPTED = 2
    INTERNAL_ERROR = 3
    USAGE_ERROR = 4
    INCONCLUSIVE = 10
    GATE_NOT_MET = 11


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Add verdicts up to one.

    Args:
        verdicts: Verdicts of all applicable scenarios of a check.

    Returns:
        The most severe one; *not run* when there is none, for nothing was observed.
    """
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.NOT_RUN)


def exit_code(verdicts: Iterable[Verdict], *, gate_met: bool, stopped: bool = False, dirty: bool = False) -> ExitCode:
    """Compute the exit code of a run that ended by itself.

    Args:
        verdicts: One verdict per scenario that was selected.
        gate_met: Whether everything the gate asks for was run.
        stopped: We ended the run early, as we could no longer tell.
        dirty: A lab could not be healed or removed.

    Returns:
        The first of failed, inconclusive, gate not met, ok that applies.
    """
    seen = set(verdicts)
    if Verdict.FAILED in seen:
        return ExitCode.FAILED
    if Verdict.INCONCLUSIVE in seen or stopped or dirty:
        return ExitCode.INCONCLUSIVE
    return ExitCode.OK if gate_met else ExitCode.GATE_NOT_MET
