"""Verdicts of two runs are compared by a digest, and each run becomes one line of the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import append, digest_of, line_of
from benchmarks.suite import SuiteRun
from benchmarks.whole_gate import _targets, _waits


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
    line = line_of(found, revision="abc1234", checks="V*", labs=2, load=1)
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
        "1",
        "`20261123-174542-abcd`",
        "62",
        "1",
        "1",
        f"`{line.digest}`",
    ]


def test_waits_and_targets_are_read_from_the_measurements() -> None:
    seen = record(scenario("x", address_moved_after=0.7), scenario("y", out_of_rotation_after=5.0, longest_apply=9.0))
    assert sum(_waits(seen)) == pytest.approx(5.7)
    rows = {row.what: row for row in _targets([seen])}
    assert rows["address moved after (plug pulled)"].reached
    assert rows["out of rotation after (plug pulled)"].values == (5.0,)
    assert rows["longest apply"].reached
    assert rows["address moved after (frozen)"].note == "never measured"
