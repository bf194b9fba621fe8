"""How a run on a defective lab is judged; the run itself is made up."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from tests.faulty_labs.__main__ import app
from tests.faulty_labs.acceptance_run import AcceptanceRun
from tests.faulty_labs.defects import DEFECTS
from tests.faulty_labs.defects.defect import Defect, Symptom
from tests.faulty_labs.proof import Proof, judge
from tests.faulty_labs.table import Table, write

SAID = "expected storage03 to answer; observed refused"
DEFECT = Defect("a node is deaf", "production", (Symptom("V1", "It answers", ("storage03", "refused")),), ("V2", "S1", "S5"))


def _entry(title: str, check: str, verdict: str, reason: str = "") -> dict[str, Any]:
    return {"title": title, "checks": [check], "verdict": verdict, "reason": reason, "evidence": title}


@dataclass
class MadeUpRun:
    """What `judge` reads of a run."""

    place: Path
    entries: list[dict[str, Any]]
    exit_code: int = 1
    dirty: str = ""
    left: list[str] = field(default_factory=list)
    output: str = "what it printed"
    told: bool = True

    def __post_init__(self) -> None:
        """Leave what a run leaves."""
        self.folder = self.place / "runs" / "one"
        self.folder.mkdir(parents=True)
        self.process = SimpleNamespace(returncode=self.exit_code)
        self.record = {"dirty": self.dirty}
        (self.folder / "run.json").write_text(json.dumps(self.record))
        self.scenarios = {entry["title"]: entry for entry in self.entries}
        verdicts = {check: [e["verdict"] for e in self.entries if check in e["checks"]] for e in self.entries for check in e["checks"]}
        self.checks = {check: {"verdict": "failed" if "failed" in seen else seen[0]} for check, seen in verdicts.items()}
        self.junit = {entry["title"]: self._case(entry) for entry in self.entries}
        for entry in self.entries:
            folder = self.folder / entry["evidence"]
            folder.mkdir()
            (folder / "story.txt").write_text(entry["title"])
            (folder / "storage03.journal.txt").touch()

    def _case(self, entry: dict[str, Any]) -> ET.Element:
        case = ET.Element("testcase")
        if entry["verdict"] == "failed" and self.told:
            ET.SubElement(case, "failure", message=entry["reason"])
        return case

    def remains(self) -> list[str]:
        return self.left


def _judged(run: MadeUpRun, defect: Defect = DEFECT) -> Proof:
    return judge(defect, cast("AcceptanceRun", run), 12.0)


def _entries(reason: str = SAID, found: str = "failed", neighbour: str = "passed") -> list[dict[str, Any]]:
    healthy = [_entry(f"about {check}", check, "passed") for check in ("V2", "S1")]
    return [_entry("It answers", "V1", found, reason), *healthy, _entry("about S5", "S5", neighbour, "so it is")]


def test_found_and_explained(tmp_path: Path) -> None:
    proof = _judged(MadeUpRun(tmp_path, _entries()))
    assert proof.problems == ()
    assert proof.found == ("V1",)
    assert proof.explained


def test_missed(tmp_path: Path) -> None:
    proof = _judged(MadeUpRun(tmp_path, _entries("", "passed"), exit_code=0))
    assert proof.problems == ("missed", "missed: V1, “It answers” is passed ()", "exit code 0 instead of 1")
    assert not proof.explained


def test_found_only_by_what_has_nothing_to_do_with_it(tmp_path: Path) -> None:
    proof = _judged(MadeUpRun(tmp_path, _entries("", "passed", neighbour="failed")))
    assert proof.problems[0] == "found only by what has nothing to do with it: S5"


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("expected an answer; observed refused", "it names no machine and no address"),
        ("storage03 refused", "it does not say what was observed"),
        ("expected storage03 to answer; observed silence", "'refused' is missing in the explanation"),
    ],
)
def test_badly_explained(tmp_path: Path, reason: str, problem: str) -> None:
    proof = _judged(MadeUpRun(tmp_path, _entries(reason)))
    assert proof.found == ("V1",)
    assert not proof.explained
    assert any(problem in told for told in proof.problems), proof.problems


def test_false_alarm(tmp_path: Path) -> None:
    proof = _judged(MadeUpRun(tmp_path, _entries(neighbour="failed")))
    assert proof.problems == ("false alarm: S5 should not mind: about S5: failed (so it is)",)


def test_a_neighbour_of_which_nothing_was_run_is_not_green(tmp_path: Path) -> None:
    proof = _judged(MadeUpRun(tmp_path, _entries()), replace(DEFECT, healthy=("V2", "S1", "H42")))
    assert proof.false_alarms == {"H42": "none of its scenarios was run"}


def test_what_nobody_can_tell_and_what_is_left(tmp_path: Path) -> None:
    entries = [*_entries(), _entry("another", "V1", "inconclusive", "no way in")]
    proof = _judged(MadeUpRun(tmp_path, entries, dirty="runner01", left=["mount /x"]))
    assert proof.others == (
        "nobody can tell: another: inconclusive (no way in)",
        "the lab was left dirty: runner01",
        "left behind: mount /x",
    )


def test_a_pipeline_must_be_told_too(tmp_path: Path) -> None:
    proof = _judged(MadeUpRun(tmp_path, _entries(), told=False))
    assert any("JUnit does not tell it" in told for told in proof.problems)


def test_a_run_without_a_record(tmp_path: Path) -> None:
    run = MadeUpRun(tmp_path, _entries(), exit_code=4)
    (run.folder / "run.json").unlink()
    assert _judged(run).problems == ("missed", "the run left no record, exit code 4:\nwhat it printed")


def test_the_table_counts_and_tells(tmp_path: Path) -> None:
    good = _judged(MadeUpRun(tmp_path / "good", _entries()))
    missed = _judged(MadeUpRun(tmp_path / "missed", _entries("", "passed")))
    alarm = _judged(MadeUpRun(tmp_path / "alarm", _entries("<b>storage03</b> observed refused", neighbour="failed")))
    table = Table([good, missed, alarm], 40.0, 5)
    assert str(table) == "3 of 5 defects planted, 2 found, 2 explained, 1 false alarms"
    assert table.bad == [missed, alarm]
    page = write(table, tmp_path / "table").read_text()
    assert "&lt;b&gt;storage03&lt;/b&gt; observed refused" in page
    data = json.loads((tmp_path / "table" / "proof.json").read_text())
    assert [row["found"] for row in data["defects"]] == [["V1"], [], ["V1"]]
    assert data["defects"][2]["false_alarms"] == {"S5": "about S5: failed (so it is)"}


def test_a_list_plants_nothing() -> None:
    said = CliRunner().invoke(app, ["--list", "H29"])
    assert said.exit_code == 0
    assert "one runner takes few logins at once (production): H29;" in said.output
    assert len(CliRunner().invoke(app, ["--list"]).output.splitlines()) == len(DEFECTS)


def test_a_word_that_no_defect_has() -> None:
    said = CliRunner().invoke(app, ["gremlins"])
    assert said.exit_code == 4
    assert "no defect has gremlins in its name" in said.output


def test_a_folder_with_something_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    said = CliRunner().invoke(app, ["H29", "--output", str(tmp_path)])
    assert said.exit_code == 4
    assert (tmp_path / "thesis.txt").exists()


def test_a_sitting_that_is_cut_off_leaves_a_table_and_its_folder_can_be_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[str] = []

    def ends_at_the_second(defect: Defect, *_: object) -> Proof:
        began.append(defect.name)
        if len(began) == 2:
            msg = "the host went away"
            raise OSError(msg)
        return Proof(defect, 1.0, (), defect.expected, {})

    monkeypatch.setattr("tests.faulty_labs.__main__.prove", ends_at_the_second)
    place = tmp_path / "table"
    assert isinstance(CliRunner().invoke(app, ["runner", "--labs", "1", "--output", str(place)]).exception, OSError)
    kept = [each["name"] for each in json.loads((place / "proof.json").read_text())["defects"]]
    assert kept
    assert kept == [began[0], *began[2:]][: len(kept)], "those that were done, in their order, without the one that broke"
    assert CliRunner().invoke(app, ["H29", "--output", str(place)]).exit_code == 0
