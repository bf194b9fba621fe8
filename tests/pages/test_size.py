"""A report of 500 scenarios: small enough to be mailed, and it opens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from playwright.sync_api import expect

from model.verdicts import Verdict
from reports.outputs import make_all
from tests.pages import messages, sample
from tests.pages.conftest import Visitor

SCENARIOS = 500
MANY = 100
"""Of these break something."""

BYTES_MAX = 15_000_000


def test_500_scenarios_stay_under_15_megabytes(visit: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "big"
    model = sample.disruptive(folder, "A plug is pulled", ("V7",))
    late = "expected runner02 to be out of rotation; observed " + "x" * 100_000
    bad = sample.scenario(folder, "A runner is shut down", ("V7",), Verdict.FAILED, late)
    scenarios = [
        replace(
            model if number < MANY else bad if number % 10 == 0 else sample.scenario(folder, f"Scenario {number}", ("V4",)),
            title=f"Number {number}",
        )
        for number in range(SCENARIOS)
    ]
    run = sample.run_of(folder, scenarios, [sample.check(told, scenarios, Verdict.FAILED) for told in (sample.V4, sample.V7)], exit_code=1)
    messages.write(folder / "messages.ndjson", [("V4", f"Number {number}", "PASSED") for number in range(SCENARIOS)], "y" * 1_000_000)
    assert list(make_all(run)) == []
    size = sum((folder / name).stat().st_size for name in ("index.html", "scenarios.html"))
    assert size < BYTES_MAX, f"{size / 1e6:.1f} MB"
    seen = visit(folder / "index.html")
    expect(seen.page.get_by_role("status")).to_have_text("3 of 3 checks shown")
    expect(seen.page.locator("#timelines ~ p")).to_contain_text("Not drawn: Number 60 (the page would grow too big)")
    expect(seen.page.locator("#failure-1")).to_contain_text("Cut here; all of it is in the evidence.")
    assert seen.errors == []
