"""Verdicts of two runs are compared by a digest, and each run becomes one line of the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak.differences import differences, keep
from benchmarks.soak.document import DOCUMENT, Line, append, digest_of, line_of, lines
from benchmarks.soak.variants import VARIANTS
from benchmarks.suite import SuiteRun
from benchmarks.whole_gate import _targets


def scenario(name: str, verdict: str = "passed", **measured: float) -> dict[str, Any]:
    measurements = [
        {"name": name.partition("|")[0].replace("_", " "), "unit": "s", "value": value, "labels": {"fault": "plug pulled"}}
        for name, value in measured.items()
    ]
    return {"nodeid": f"features/a.feature::{name}", "verdict": verdict, "seconds": 1.5, "measurements": measurements}


def record(*scenarios: dict[str, Any]) -> dict[str, Any]:
    return {
        "seed": "20261123-174542-abcd",
        "started": "2026-11-23T17:45:42+00:00",
        "topology": "single",
        "exit_code": 1,
        "scenarios": scenarios,
    }


def test_the_digest_is_that_of_the_verdicts_alone() -> None:
    one = digest_of(record(scenario("x"), scenario("y", "failed")))
    slower = scenario("x", address_moved_after=3.0) | {"seconds": 9.0}
    assert digest_of(record(scenario("y", "failed"), slower)) == one
    assert digest_of(record(scenario("x", "failed"), scenario("y"))) != one
    assert digest_of(record(scenario("x"))) != one


def test_a_run_is_one_row(tmp_path: Path) -> None:
    document = tmp_path / "soak.md"
    document.write_text("| begun |\n| --- |\n")
    found = SuiteRun(61.6, {}, record(scenario("x"), scenario("y", "not run")))
    line = line_of(found, VARIANTS["random"], revision="abc1234", checks="V*")
    append(document, line)
    append(document, line)
    *_, first, second = document.read_text().splitlines()
    assert first == second
    cells = [cell.strip() for cell in first.strip("|").split("|")]
    assert cells == [
        "2026-11-23 17:45",
        "`abc1234`",
        "single",
        "`V*`",
        "2",
        "none",
        "random",
        "`20261123-174542-abcd`",
        "62",
        "1",
        "1",
        f"`{line.digest}`",
    ]


def test_a_row_is_read_as_it_was_written(tmp_path: Path) -> None:
    document = tmp_path / "soak.md"
    document.write_text("| begun |\n| --- |\n")
    line = line_of(SuiteRun(62, {}, record(scenario("x"))), VARIANTS["load"], revision="abc1234", checks="all")
    append(document, line)
    assert lines(document) == [line]
    assert line.is_of(VARIANTS["load"], "single", "all")
    assert not line.is_of(VARIANTS["plain"], "single", "all")
    with pytest.raises(ValueError, match="12 cells, this one 2"):
        Line.from_row("| 2026-11-23 17:45 | x |")


def test_the_document_can_be_read() -> None:
    assert lines(DOCUMENT)


def test_what_differed_is_named_with_its_reason_and_evidence(tmp_path: Path) -> None:
    for run, verdict in (("one", "passed"), ("two", "failed"), ("three", "passed")):
        folder = tmp_path / "runs" / run
        (folder / "evidence/y").mkdir(parents=True)
        entry = scenario("y", verdict) | {"reason": "expected 1, observed 2\nmore", "evidence": "evidence/y"}
        (folder / "run.json").write_text(json.dumps(record(scenario("x"), entry)))
        keep(folder, tmp_path / "kept")
    (found,) = differences(["one", "two", "three", "of another machine"], tmp_path / "kept")
    assert found.sentences() == [
        "features/a.feature::y: 2 x passed, 1 x failed",
        "  two: failed: expected 1, observed 2",
        f"    evidence: {tmp_path / 'kept/two/evidence/y'}",
    ]


def test_targets_are_read_from_the_measurements() -> None:
    seen = record(scenario("x", address_moved_after=0.7), scenario("y", out_of_rotation_after=5.0, longest_apply=9.0))
    rows = {row.what: row for row in _targets([seen])}
    assert rows["address moved after (plug pulled)"].reached
    assert rows["out of rotation after (plug pulled)"].values == (5.0,)
    assert rows["longest apply"].reached
    assert rows["address moved after (frozen)"].note == "never measured"


def test_a_rehearsed_gate_is_told_from_one_on_embedded_labs() -> None:
    variant = VARIANTS["rehearsed"]
    assert variant.program("single") == ("tests.rehearsal", "run", "--topology", "single")
    assert variant.options("single") == ("--order", "written")
    assert VARIANTS["plain"].options("single") == ("--topology", "single", "--order", "written")
    assert (variant.place("single"), VARIANTS["plain"].place("single")) == ("single, rehearsed", "single")
