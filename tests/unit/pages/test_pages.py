"""What pages say, and what they do with records that are not as they should be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from model.errors import BadInput
from model.verdicts import Gate, Verdict
from reports.outputs import make_all
from reports.pages.failures import failures_of, rerun, split
from reports.pages.front import FILE, headline, mark_of, numbers_of, rows_of, write
from reports.pages.glossary import Glossary, Term
from reports.pages.rendering import as_code, as_duration, as_size
from reports.pages.scenarios import write_scenarios
from reports.pages.timelines import draw, read_history
from reports.pages.trend import RUNS_MAX, trend
from reports.recorded import RecordedRun
from tests.pages import sample


@pytest.fixture
def failed(tmp_path: Path) -> RecordedRun:
    return sample.failed_run(tmp_path / "runs" / "20260301-fail")


@pytest.mark.parametrize(
    ("reason", "expected", "observed"),
    [
        ("expected A; observed B", "A", "B"),
        ("expected A to be B within 3 s, observed 4 s", "A to be B within 3 s", "4 s"),
        ("expected A\nor B; observed C\nD", "A\nor B", "C\nD"),
        ("no way into runner01", "", ""),
    ],
)
def test_a_message_is_taken_apart(reason: str, expected: str, observed: str) -> None:
    assert split(reason) == (expected, observed)


def test_further_findings_stand_apart(tmp_path: Path) -> None:
    reason = "expected A; observed B\nalso: invariant: expected C; observed D\nexpected E; observed F"
    scenario = sample.scenario(tmp_path / "runs" / "1", "T", ("V4",), Verdict.FAILED, reason)
    run = sample.run_of(tmp_path / "runs" / "1", [scenario], [sample.check(sample.V4, [scenario], Verdict.FAILED)])
    failure = failures_of(run)[0]
    assert (failure.expected, failure.observed) == ("A", "B")
    assert failure.also == ("invariant: expected C; observed D", "expected E; observed F")


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({}, "passed", "Accepted: all 2 required checks hold."),
        ({"exit_code": 10, "dirty": ("storage01 is off",)}, "inconclusive", "No verdict: the lab could not be cleaned up"),
        ({"exit_code": 10, "stopped": "three in a row"}, "inconclusive", "No verdict: the run was stopped early."),
        ({"exit_code": 2, "interrupted": True}, "not-run", "No verdict: the run was interrupted."),
        ({"tier": "smoke"}, "not-run", "Holds in part: all 2 checks of the tier smoke hold; an acceptance wants the tier gate."),
        ({"tier": "thorough"}, "passed", "Accepted: all 2 required checks hold."),
        ({"exit_code": 11, "gate_met": False}, "not-run", "Not yet:"),
        ({"exit_code": 1}, "failed", "Not accepted: something outside of the checks failed."),
        ({"checks": (), "exit_code": 5}, "not-run", "Not yet: all of 0 checks"),
    ],
)
def test_the_first_sentence_never_says_more_than_the_exit_code(tmp_path: Path, changes: dict[str, object], kind: str, words: str) -> None:
    mark, told = headline(replace(sample.passed_run(tmp_path / "runs" / "1"), **changes))  # type: ignore[arg-type]
    assert mark.kind == kind
    assert told.startswith(words)


def test_a_run_of_a_part_is_not_green(tmp_path: Path) -> None:
    run = sample.passed_run(tmp_path / "runs" / "1")
    missing = replace(run.checks[0], verdict=Verdict.NOT_RUN, words="not run", reasons=("not selected",))
    mark, told = headline(replace(run, checks=(missing, run.checks[1]), gate=Gate.SELECTED))
    assert (mark.sign, mark.kind) == ("◐", "not-run")
    assert told == "Holds in part: 1 of 2 checks were run, and all of those hold."
    assert mark_of(Verdict.NOT_RUN, "passed in part, 1 of 2").sign == "◐"


def test_planned_checks_are_rows_in_their_place(failed: RecordedRun) -> None:
    rows = {row.id: row for _, rows in rows_of(failed, linked=True) for row in rows}
    assert list(rows) == ["V4", "V7", "T1", "B8", "H05", "H21"]
    assert rows["H05"].mark.kind == "planned"
    assert rows["H05"].link == ""
    assert rows["V7"].link == "scenarios.html?query=%40check%3AV7"


def test_a_number_that_missed_its_limit_comes_first() -> None:
    told = numbers_of([sample.wait("good", 1, 2, 0), sample.wait("bad", 3, 2, 0), sample.wait("good", 1, 2, 0)])
    assert [text.split()[0] for text in told] == ["bad", "good"]


def test_the_command_names_the_lab_that_was_given(failed: RecordedRun) -> None:
    run = replace(
        failed, driver="existing", topology="production", suite=replace(failed.suite, command=("features/", "--lab", "my lab.toml"))
    )
    assert rerun(run, run.scenarios[0]).endswith(" --lab 'my lab.toml'")
    assert failures_of(run)[0].enter == (), "only an embedded lab can be kept and entered"


def test_damaged_lines_of_a_history_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.history.jsonl"
    sample.history(path, until=1)
    whole = read_history(path)
    path.write_bytes(path.read_bytes() + b'{"name": "connec\n\xff\xfe\n[1]\n')
    assert read_history(path) == whole


def test_nothing_broken_is_no_picture(failed: RecordedRun, tmp_path: Path) -> None:
    assert draw(failed.scenarios[0], failed.folder) is None
    unheard = replace(failed.scenarios[3], faults=tuple(replace(strike, injected=None) for strike in failed.scenarios[3].faults))
    assert draw(unheard, failed.folder) is None
    told = sample.disruptive(tmp_path, f"Told $x^2$ {sample.TRICKY}", ("B8",), with_history=False)
    picture = draw(told, tmp_path)
    assert picture is not None
    assert "<script" not in picture.svg
    assert not any(f"#0{n}0{n}0{n}" in picture.svg for n in range(1, 9)), "every colour is the page's own"


def test_a_missing_history_costs_its_picture_and_nothing_else(failed: RecordedRun) -> None:
    (failed.folder / failed.scenarios[3].histories[0]).unlink()
    assert list(make_all(failed)) == []
    page = (failed.folder / FILE).read_text(encoding="utf-8")
    assert "Nobody who connects notices that a runner died (could not be drawn: FileNotFoundError:" in page


def test_a_page_that_cannot_be_made_is_named_and_costs_no_other(failed: RecordedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.pages.front.render", lambda *_: 1 / 0)
    assert list(make_all(failed)) == ["index.html could not be made: ZeroDivisionError: division by zero"]
    assert (failed.folder / "summary.md").exists()


def test_the_trend_passes_over_what_cannot_be_read_and_ends_somewhere(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for number in range(RUNS_MAX + 4):
        run = sample.passed_run(runs / f"202603{number:02}-a")
    (runs / "20260314-a" / "run.json").write_text("{", encoding="utf-8")
    (runs / "20260313-a" / "run.json").write_text(json.dumps({"schema_version": 1}), encoding="utf-8")
    past = trend(run)
    assert len(past) == RUNS_MAX
    assert past[0].here
    assert {entry.id for entry in past}.isdisjoint({"20260314-a", "20260313-a"})
    assert past[0].failover_seconds == pytest.approx(4.6)


def test_a_page_replaces_the_one_before_it_whole(failed: RecordedRun) -> None:
    write(failed)
    before = (failed.folder / FILE).read_text(encoding="utf-8")
    write(failed)
    assert (failed.folder / FILE).read_text(encoding="utf-8") == before
    assert not list(failed.folder.glob(".*"))


def test_a_page_that_broke_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "messages.ndjson").write_text('{"testCase": {}}\n', encoding="utf-8")
    with pytest.raises(KeyError):
        write_scenarios(tmp_path / "messages.ndjson", tmp_path / "scenarios.html", "broken")
    assert [path.name for path in tmp_path.iterdir()] == ["messages.ndjson"]


def test_words_are_linked_once_in_a_section_and_explained_once_on_a_page() -> None:
    glossary = Glossary((Term(name="lock", text="keeps out", forms=("locks",)), Term(name="stale lock", text="left behind", see=("lock",))))
    first, second = glossary.section("a"), glossary.section("b")
    marked = first.mark("a stale lock & two locks, one lock; use_lockfile, unlocked")
    assert marked.count("<a ") == 2
    assert "&amp;" in marked
    assert [term.name for term in first.explained_here] == ["stale lock", "lock"]
    assert second.mark("a lock").count("<a ") == 1
    assert second.explained_here == []


def test_a_glossary_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'Lock' twice"):
        Glossary((Term(name="lock", text="x"), Term(name="Lock", text="y")))
    with pytest.raises(BadInput, match="does not explain: holder"):
        Glossary((Term(name="lock", text="x", see=("holder",)),))
    with pytest.raises(BadInput, match=r"words\.toml cannot be read"):
        Glossary.load(tmp_path / "words.toml")


def test_numbers_and_code_are_said_as_people_say_them() -> None:
    assert [as_duration(seconds) for seconds in (48.4, 552, 3780)] == ["48 s", "9 min 12 s", "1 h 03 min"]
    assert [as_size(count) for count in (812, 14_200, 3_210_000)] == ["812 B", "14 kB", "3.2 MB"]
    assert as_code("run `tofu <init>`") == "run <code>tofu &lt;init&gt;</code>"
    assert as_code("an odd ` one") == "an odd ` one"
