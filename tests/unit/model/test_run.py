"""What a run knows before anything ran, where it keeps and how it names things, and what earlier runs say of durations."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from model.catalogue import Catalogue
from model.run import Result, Run, Setting, new_run_id, newest_durations
from model.scenario import Scenario, Sentence
from model.story import Strike
from model.verdicts import Gate, Verdict

MOMENT = datetime(2026, 11, 23, 17, 45, 42, tzinfo=UTC)
ONE = Scenario("a.feature::one", Path("a.feature"), "a.feature", 1, "One", "One", "one", checks=("V1",))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    setting = Setting("embedded", "production", "gate", Gate.ALL)
    return Run("1", tmp_path / "reports/runs/1", tmp_path, MOMENT, Catalogue(()), setting, [ONE])


def test_a_scenario_that_was_never_begun_took_no_time_and_proves_nothing() -> None:
    fresh = Result("a")
    assert (fresh.verdict, fresh.seconds, fresh.waited, fresh.started, fresh.channel_lost) == (Verdict.NOT_RUN, 0, 0, None, False)


def test_a_run_that_has_just_begun_met_nothing_and_failed_nothing(run: Run) -> None:
    assert (run.gate_met, run.interrupted, run.dry) == (False, False, False)
    assert (run.exit_code, run.pytest_code, run.foreign_failures, run.removal_seconds) == (0, 0, 0, 0)


def test_evidence_lies_in_the_folder_of_the_run(run: Run) -> None:
    assert run.evidence_of(ONE) == run.folder / "evidence" / ONE.folder


def test_paths_are_told_from_the_project_on(run: Run) -> None:
    assert run.told(run.folder / "index.html") == "reports/runs/1/index.html"
    assert run.told(Path("/elsewhere/index.html")) == "/elsewhere/index.html"


def test_which_machines_a_fault_was_done_to(run: Run) -> None:
    run.results = {
        "one": Result("one", faults=[Strike("rebooted", ("storage01",), 1.0), Strike("killed", ("storage02",), 2.0)]),
        "two": Result("two", faults=[Strike("rebooted", ("runner01", "runner02"), 3.0)]),
    }
    assert run.struck("rebooted") == {"storage01", "runner01", "runner02"}
    assert run.struck("frozen") == set()


def test_what_was_left_out_was_not_selected(run: Run) -> None:
    assert run.result_of(ONE) == Result(ONE.nodeid, reason="not selected")
    run.results[ONE.nodeid] = Result(ONE.nodeid, Verdict.PASSED)
    assert run.result_of(ONE).verdict is Verdict.PASSED


def test_sentences_that_were_not_reached_are_named() -> None:
    result = Result("a")
    result.complete(Scenario("a", Path("a"), "a", 1, "A", "A", "a", sentences=(Sentence("given", "Given", "a lab", 4),)))
    assert [(each.keyword, each.text, each.line) for each in result.sentences] == [("Given", "a lab", 4)]
    result.complete(Scenario("a", Path("a"), "a", 1, "A", "A", "a", sentences=(Sentence("given", "Given", "a lab", 4),)))
    assert len(result.sentences) == 1


def test_a_run_is_named_by_its_moment() -> None:
    named, again = new_run_id(MOMENT), new_run_id(MOMENT)
    assert named.startswith("20261123-174542-")
    assert len(named) == len("20261123-174542-abcd")
    assert named != again


def test_how_long_a_scenario_takes_is_what_its_newest_verdict_took() -> None:
    newest = {"scenarios": [_entry("one", "inconclusive", 90), _entry("two", "failed", 4)]}
    older = {"scenarios": [_entry("one", "passed", 3), _entry("two", "passed", 5), _entry("three", "not run", 0)]}
    assert newest_durations([newest, {}, older]) == {"one": 3.0, "two": 4.0}


def _entry(nodeid: str, verdict: str, seconds: float) -> dict[str, object]:
    return {"nodeid": nodeid, "verdict": verdict, "seconds": seconds}
