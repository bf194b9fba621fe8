"""The table of planted defects: readable by everybody, complete, and in need of nothing from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.faulty_labs.defects.defect import Defect, Symptom
from tests.faulty_labs.proof import Finding, Proof
from tests.faulty_labs.table import Table, write
from tests.pages.conftest import Visitor

SYMPTOM = Symptom("V1", "Every storage machine serves", ("storage03",))
DEFECT = Defect("one node is deaf", "production", (SYMPTOM,), ("V2", "S1", "S5"))
SAID = "expected storage03 to answer; observed <refused> " + "10.1.0.13:9000 " * 40


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = Proof(DEFECT, 17.4, (Finding(SYMPTOM, "failed", SAID, ()),), ("V1",), {})
    missed = Proof(DEFECT, 11.0, (Finding(SYMPTOM, "passed", "", ("missed: V1",)),), ("S5",), {"S5": "so it is"})
    return write(Table([found, missed], 3725.0, 2), tmp_path_factory.mktemp("proof"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_and_nothing_leaves_the_page(visit: Visitor, table: Path, scheme: str) -> None:
    seen = visit(table, scheme=scheme)
    assert seen.violations() == []
    assert seen.errors == []
    assert seen.foreign == []
    assert visit(table, width=375).page.evaluate("document.documentElement.scrollWidth") <= 375


def test_each_defect_says_what_found_it(visit: Visitor, table: Path) -> None:
    page = visit(table).page
    expect(page.locator("h1")).to_have_text("2 of 2 defects planted, 1 found, 1 explained, 1 false alarms")
    found, missed = page.locator("tbody tr").all()
    expect(found).to_contain_text("✓V1")
    found.locator("summary").click()
    expect(found.locator("pre")).to_contain_text("observed <refused>")
    expect(missed).to_contain_text("✗missed")
    expect(missed).to_contain_text("✗S5")
