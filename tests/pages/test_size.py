"""A report of 500 scenarios: small enough to be mailed, and it opens."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from reports.outputs import make_all
from tests.pages import sample
from tests.pages.conftest import Visitor

BYTES_MAX = 15_000_000


@pytest.mark.proof
def test_500_scenarios_stay_under_15_megabytes(visit: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "big"
    run = sample.big_run(folder)
    assert list(make_all(run)) == []
    size = sum((folder / name).stat().st_size for name in ("index.html", "scenarios.html"))
    assert size < BYTES_MAX, f"{size / 1e6:.1f} MB"
    seen = visit(folder / "index.html")
    expect(seen.page.get_by_role("status")).to_have_text("3 of 3 checks shown")
    expect(seen.page.locator("#timelines ~ p")).to_contain_text("Not drawn: Number 60 (the page would grow too big)")
    expect(seen.page.locator("#failure-1")).to_contain_text("Cut here; all of it is in the evidence.")
    assert seen.errors == []
