"""The page of the guide as written, the head of the README and the record that both tell of say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.as_written.changes import CHANGES, Change, place
from benchmarks.as_written.document import GUIDE, PAGE, README, TITLES, lead, page
from benchmarks.as_written.race import answerer, listeners
from benchmarks.as_written.record import FILE, PROMISES, Findings, Promise, Run, planted, reduced
from benchmarks.host import ROOT
from model.errors import BadInput
from model.verdicts import Verdict

FOUND = Findings.load()
AGAIN = "write it anew: python -m benchmarks.as_written --write"
SAMPLE = ROOT / "docs/sample-report/run.json"


@pytest.fixture
def sample() -> dict[str, Any]:
    """The record of a real run in which every promise held."""
    read: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return read


def test_the_page_tells_of_the_record() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(FOUND), AGAIN


def test_the_readme_leads_with_it() -> None:
    text = README.read_text(encoding="utf-8")
    assert f"<!-- as-written:begin -->\n{lead(FOUND)}\n<!-- as-written:end -->" in text, AGAIN
    assert text.index("<!-- as-written:begin -->") < text.index("\n## "), "it leads"


@pytest.mark.parametrize("topology", TITLES)
def test_every_promise_of_the_checklist_was_looked_at(topology: str) -> None:
    run = FOUND.on(topology)
    assert {promise.id for promise in run.promises} >= set(PROMISES)
    assert "-dirty" not in run.commit
    assert run.promises[0].verdict in set(Verdict)


def test_every_failure_has_a_change_and_every_change_a_failure() -> None:
    broken = [(name, scenario) for name in GUIDE for scenario in FOUND.on(name).scenarios if scenario.verdict is Verdict.FAILED]
    for name, scenario in broken:
        assert any(change.fits(name, scenario) for change in CHANGES), f"{name}, {scenario.title}: {scenario.reason}"
    for change in CHANGES:
        assert any(change.fits(name, scenario) for name, scenario in broken), change.title


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.title)
def test_a_change_is_in_the_reference_configuration(change: Change) -> None:
    assert place(change).startswith(f"reference-configuration.md#{change.section.lower()}-")


def test_a_verdict_is_that_of_the_run(sample: dict[str, Any]) -> None:
    assert reduced(sample).holding() == 8
    row = next(row for row in sample["checks"] if row["id"] == "V7")
    row["verdict"], row["words"] = "failed", "failed"
    assert reduced(sample).holding() == 7
    assert not reduced(sample).promise("V7").holds


@pytest.mark.parametrize(
    ("verdict", "words", "holds"),
    [
        ("passed", "passed", True),
        ("passed", "passed in part, 2 of 3", False),
        ("inconclusive", "inconclusive", False),
        ("failed", "failed", False),
    ],
)
def test_what_was_not_wholly_observed_does_not_hold(verdict: str, words: str, *, holds: bool) -> None:
    assert Promise(id="V1", sentence="MinIO is running", verdict=Verdict(verdict), words=words).holds is holds


def test_numbers_are_those_of_the_run(sample: dict[str, Any]) -> None:
    told = [str(number) for number in reduced(sample).numbers("V7")]
    assert "out of rotation after 2.15 s (at most 20 s), SSH stopped" in told


def test_a_newer_run_takes_the_place_of_an_older_one(sample: dict[str, Any]) -> None:
    older: Run = reduced(sample)
    newer = older.model_copy(update={"run": "20261201-000000-abcd"})
    assert Findings().with_run(older).with_run(newer).runs == (newer,)


def test_only_a_whole_sitting_of_planted_defects_is_told() -> None:
    counts = {"planted": 60, "known": 60, "found": 60, "explained": 59, "false_alarms": 1}
    table = {"made": "2026-11-25T22:17:00+00:00", "revision": "abc1234", "seconds": 1800.0, **counts, "defects": []}
    assert planted(table).model_dump(include=set(counts)) == counts
    with pytest.raises(BadInput, match="59 of 60 defects were planted"):
        planted({**table, "planted": 59})


def test_findings_are_read_as_they_were_saved(tmp_path: Path) -> None:
    FOUND.save(tmp_path / "findings.json")
    assert (tmp_path / "findings.json").read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")
    assert Findings.load(tmp_path / "findings.json") == FOUND


SOCKETS = {
    'LISTEN 0 4096 *:9000 *:* users:(("minio",pid=61,fd=9))': ("minio",),
    'LISTEN 0 4096 0.0.0.0:9000 0.0.0.0:* users:(("haproxy",pid=70,fd=8),("haproxy",pid=68,fd=8))': ("haproxy",),
    'LISTEN 0 9 *:9000 *:* users:(("minio",pid=1,fd=9))\nLISTEN 0 9 0.0.0.0:9000 *:* users:(("haproxy",pid=7,fd=8))': ("haproxy", "minio"),
    "": (),
}


@pytest.mark.parametrize(("said", "programs"), SOCKETS.items())
def test_who_listens(said: str, programs: tuple[str, ...]) -> None:
    assert listeners(said) == programs


@pytest.mark.parametrize(
    ("said", "who"), [("200\n", "minio"), ("000\nSSH-", "haproxy"), ("000\n", "nobody"), ("503\n", "nobody"), ("", "nobody")]
)
def test_who_answers(said: str, who: str) -> None:
    assert answerer(said) == who
