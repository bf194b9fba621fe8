"""What pipelines read: summary, annotations, metrics, JUnit with evidence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from model.verdicts import Verdict
from reports import github, metrics, summary
from reports.outputs import OUTPUTS, Output, make_all
from tests.unit.reports.examples import check, measured, recorded, scenario
from tests.unit.verdicts.inner import PATIENCE, command, environment, feature, project, run


def test_a_summary_has_at_most_60_lines_and_tells_trouble_first() -> None:
    bad = [scenario(n, Verdict.FAILED, reason=f"expected a, observed b\nin {n} | ways", sentence="Then x (line 12)") for n in range(100)]
    checks = tuple(check(n, Verdict.FAILED if n == 299 else Verdict.PASSED) for n in range(300))
    text = summary.render(recorded(*bad, checks=checks, exit_code=1, dirty=("runner01 is gone",) * 9))
    lines = text.splitlines()
    assert len(lines) <= 60
    assert lines[0].startswith("## ❌")
    assert r"expected a, observed b in 0 \| ways" in text
    assert "more scenarios that failed" in text
    assert next(line for line in lines if line.startswith("| V")).startswith("| V299 |")
    assert "more checks are in `run.json`" in text


@pytest.mark.parametrize(
    ("code", "verdicts", "sign"),
    [
        (0, (Verdict.PASSED, Verdict.PASSED), "✅"),
        (0, (Verdict.PASSED, Verdict.NOT_RUN), "⚠️"),
        (10, (Verdict.INCONCLUSIVE,), "⚠️"),
        (11, (Verdict.PASSED,), "⚠️"),
        (1, (Verdict.FAILED,), "❌"),
        (0, (), "⚠️"),
    ],
)
def test_a_summary_is_green_only_when_every_check_holds(code: int, verdicts: tuple[Verdict, ...], sign: str) -> None:
    checks = tuple(check(number, verdict) for number, verdict in enumerate(verdicts))
    assert summary.render(recorded(checks=checks, exit_code=code)).startswith(f"## {sign}")


def test_only_what_failed_is_annotated_at_its_sentence() -> None:
    run_ = recorded(
        scenario(1, Verdict.FAILED, reason="expected 100%,\nobserved 50%", sentence="Then it holds (line 42)"),
        scenario(2, Verdict.INCONCLUSIVE, reason="no way in"),
        scenario(3, Verdict.FAILED, reason="x", sentence="recovery"),
        *(scenario(n, Verdict.FAILED, reason="x") for n in range(4, 20)),
    )
    told = list(github.commands(run_, {"GITHUB_ACTIONS": "true"}))
    assert told[0] == "::error file=features/a.feature,line=42,title=V1%3A Scenario 1::expected 100%25,%0Aobserved 50%25"
    assert told[1].startswith("::error file=features/a.feature,line=13,title=V3")
    assert len(told) == 10
    assert list(github.commands(run_, {})) == []


def test_metrics_are_openmetrics_with_one_number_each() -> None:
    numbers = (measured(4.5, fault="plug"), measured(9.0, fault="plug"), measured(3, 'odd "name"\n\\', "versions"))
    text = metrics.render(recorded(scenario(measurements=numbers), checks=(check(), check(2, Verdict.FAILED)), exit_code=1))
    families = {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    samples = {(sample.name, *sorted(sample.labels.values())): sample.value for family in families.values() for sample in family.samples}
    assert samples["acceptance_checks", "failed"] == samples["acceptance_checks", "passed"] == 1
    assert samples["acceptance_check", "V2", "failed"] == 1
    assert samples["acceptance_measured_seconds", "V1", "features/a.feature::a", "out of rotation after", "plug"] == 9
    assert samples["acceptance_measured", "", "V1", "features/a.feature::a", 'odd "name"\n\\', "versions"] == 3
    assert samples["acceptance_exit_code",] == 1


def test_an_output_that_breaks_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_run: object) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr("reports.outputs.OUTPUTS", (Output("page.html", breaks), *OUTPUTS))
    assert list(make_all(recorded(folder=tmp_path))) == ["page.html could not be made: ValueError: no such thing"]
    assert (tmp_path / "summary.md").is_file()
    troubles = list(make_all(recorded(folder=tmp_path / "missing")))
    assert "summary.md could not be written: No such file or directory" in troubles[1]


def test_on_github_the_job_shows_summary_and_annotations(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", text=feature("breaks|When it is broken on purpose|Then a promise with the secret is broken"))
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    told = {**environment(), "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    done = subprocess.run(command(), cwd=folder, env=told, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1, done.stdout
    assert "\n::error file=features/text.feature,line=9,title=V1%3A breaks::observed «secret»" in done.stdout
    assert page.read_text().startswith("before\n## ❌")
    assert "hunter2" not in page.read_text() + done.stdout


def test_junit_links_the_evidence_of_what_did_not_pass(tmp_path: Path) -> None:
    text = feature("breaks|When it is broken on purpose|Then the promise is broken", "holds|When it is broken on purpose")
    inner = run(project(tmp_path / "p", text=text))
    said = inner.junit["breaks"].find("system-out")
    assert said is not None
    places = [line.removeprefix("[[ATTACHMENT|").removesuffix("]]") for line in (said.text or "").split("\n") if line]
    assert [Path(place).name for place in places] == ["evidence.txt", "story.txt"]
    assert all((inner.folder / place).is_file() for place in places)
    assert inner.junit["holds"].find("system-out") is None
