"""Every planted defect is found by the right check, which fails (and is not merely inconclusive) and says what is wrong where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faulty_labs.acceptance_run import AcceptanceRun, run_features
from tests.faulty_labs.defects import DEFECTS, Defect, Symptom

FAILED = 1


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_defect(defect: Defect, tmp_path: Path) -> None:
    """One lab, one run, all its symptoms."""
    selection = ("--topology", defect.topology, "--check", ",".join(defect.checks), "-m", defect.selection)
    run = run_features(tmp_path, "--defect", defect.name, *selection)
    assert run.process.returncode == FAILED, run.output
    verdicts = {title: entry["verdict"] for title, entry in run.scenarios.items()}
    assert set(verdicts.values()) <= {"passed", "failed"}, f"something could not be told:\n{run.output}"
    for symptom in defect.symptoms:
        check_symptom(run, symptom)
    for check in defect.healthy:
        proofs = {title: verdict for title, verdict in verdicts.items() if check in run.scenarios[title]["checks"]}
        assert set(proofs.values()) == {"passed"}, f"{check} should not mind: {proofs}\n{run.output}"
    assert not run.record["dirty"], run.record["dirty"]
    assert not run.remains()


def check_symptom(run: AcceptanceRun, symptom: Symptom) -> None:
    """The check fails, in the record and in JUnit, its explanation says it all, and there is evidence."""
    assert run.checks[symptom.check]["verdict"] == "failed", run.output
    scenario = run.scenarios[symptom.scenario]
    assert symptom.check in scenario["checks"]
    assert scenario["verdict"] == "failed", f"{symptom.scenario}: {scenario['verdict']} ({scenario['reason']})\n{run.output}"
    for words in symptom.words:
        assert words in scenario["reason"], f"{words!r} is missing in the explanation:\n{scenario['reason']}"
    failure = run.junit[symptom.scenario].find("failure")
    assert failure is not None
    assert scenario["reason"].splitlines()[0] in (failure.text or "") + failure.get("message", "")
    evidence = run.folder / scenario["evidence"]
    assert symptom.scenario in (evidence / "story.txt").read_text()
    assert list(evidence.glob("*.journal.txt")), f"no journals in {evidence}"
