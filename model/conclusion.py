"""From verdicts of scenarios to rows of checks, the gate and one line for people."""

from __future__ import annotations

from model.catalogue import Check
from model.run import CheckRow, Run
from model.scenario import Scenario
from model.verdicts import ExitCode, Gate, Verdict, exit_code, worst


def conclude(run: Run, *, pytest_code: int, foreign_failures: int = 0) -> int:
    """Compute rows, gate, exit code and the verdict in one line, and store them in the run.

    Args:
        run: With its universe, results and whatever ended it early.
        pytest_code: What pytest would exit with.
        foreign_failures: Failed tests that are no scenarios, in the same run.

    Returns:
        The exit code.
    """
    run.pytest_code, run.foreign_failures = pytest_code, foreign_failures
    applicable = run.applicable()
    run.rows = [row for check in run.catalogue if (row := _row(run, check, applicable))]
    run.gate_met = _gate_met(run, applicable)
    run.exit_code = int(_exit_code(run, pytest_code, foreign_failures))
    run.conclusion = _sentence(run)
    return run.exit_code


def _row(run: Run, check: Check, applicable: list[Scenario]) -> CheckRow | None:
    here = run.setting
    if check.planned or not check.required_on(here.topology, here.driver):
        return None
    proofs = [scenario for scenario in applicable if check.id in scenario.checks]
    if not proofs and any(check.id in scenario.checks and _only_tier_differs(run, scenario) for scenario in run.universe):
        return None
    results = [run.result_of(scenario) for scenario in proofs]
    verdict = worst(result.verdict for result in results)
    passed = sum(result.verdict is Verdict.PASSED for result in results)
    words = f"passed in part, {passed} of {len(proofs)}" if verdict is Verdict.NOT_RUN and passed else verdict.value
    reasons = [result.reason for result in results if result.verdict is Verdict.NOT_RUN] or ([] if proofs else ["it has no scenario"])
    return CheckRow(
        check=check,
        verdict=verdict,
        words=words,
        seconds=sum(result.seconds for result in results),
        ran=sum(result.verdict is not Verdict.NOT_RUN for result in results),
        applicable=len(proofs),
        measurements=tuple(entry for result in results for entry in result.measurements),
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _only_tier_differs(run: Run, scenario: Scenario) -> bool:
    here = run.setting
    return scenario.fits(here.topology, here.driver, "thorough", run.catalogue)


def _gate_met(run: Run, applicable: list[Scenario]) -> bool:
    def ran(scenario: Scenario) -> bool:
        return run.result_of(scenario).verdict is not Verdict.NOT_RUN

    if run.setting.gate is Gate.SELECTED:
        return bool(run.results) and all(result.verdict is not Verdict.NOT_RUN for result in run.results.values())
    if run.setting.gate is Gate.HARMLESS:
        harmless = [scenario for scenario in applicable if run.setting.permits(scenario)]
        scenarioless = [row for row in run.rows if not row.applicable]
        return bool(harmless) and not scenarioless and all(ran(scenario) for scenario in harmless)
    return bool(applicable) and all(ran(scenario) for scenario in applicable) and all(row.applicable for row in run.rows)


def _exit_code(run: Run, pytest_code: int, foreign_failures: int) -> int:
    verdicts = [result.verdict for result in run.results.values()]
    failed = Verdict.FAILED in verdicts or foreign_failures > 0
    if pytest_code in {ExitCode.INTERNAL_ERROR, ExitCode.USAGE_ERROR}:
        return pytest_code
    if run.interrupted:
        return ExitCode.FAILED if failed else ExitCode.INTERRUPTED
    if pytest_code == 5 and not run.results and not run.stopped:  # noqa: PLR2004 - pytest.ExitCode.NO_TESTS_COLLECTED
        return pytest_code
    if failed:
        return ExitCode.FAILED
    return exit_code(verdicts, gate_met=run.gate_met, stopped=bool(run.stopped), dirty=bool(run.dirty))


def _sentence(run: Run) -> str:
    holding = sum(row.verdict is Verdict.PASSED for row in run.rows)
    parts = [f"{holding} of {len(run.rows)} checks hold"]
    by_verdict = {
        verdict: [row.check.id for row in run.rows if row.verdict is verdict] for verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE)
    }
    parts += [f"{verdict.value}: {', '.join(ids)}" for verdict, ids in by_verdict.items() if ids]
    parts += _left_out(run)
    orphans = [entry for entry in run.results.values() if entry.verdict is Verdict.INCONCLUSIVE]
    counted = {scenario.nodeid for scenario in run.applicable() if any(row.check.id in scenario.checks for row in run.rows)}
    if lost := [entry for entry in orphans if entry.nodeid not in counted]:
        parts.append(f"could not be read or counted: {len(lost)}")
    if run.stopped:
        parts.append(f"stopped: {run.stopped}")
    if run.interrupted:
        parts.append("interrupted")
    if run.dirty:
        parts.append("the lab is dirty")
    return "; ".join(parts) + "."


def _left_out(run: Run) -> list[str]:
    """Name what nobody saw, grouped by why."""
    groups: dict[str, list[str]] = {}
    for row in run.rows:
        if row.verdict is Verdict.NOT_RUN:
            kind = "not run" if row.words == Verdict.NOT_RUN.value else "passed in part"
            groups.setdefault(f"{kind} ({', '.join(row.reasons)})", []).append(row.check.id)
    return [f"{kind}: {', '.join(ids)}" for kind, ids in groups.items()]
