"""The official formatter's page, made without Node.js: reached by check, harmless whatever stands in a message."""

from __future__ import annotations

import subprocess
from pathlib import Path

from playwright.sync_api import expect

from reports.pages.scenarios import VENDOR, link, write_scenarios
from tests.pages import messages
from tests.pages.conftest import Visitor


def test_the_front_page_leads_to_the_scenarios_of_one_check(visit: Visitor, runs: Path) -> None:
    seen = visit(runs / "b-failed" / "index.html")
    seen.page.locator("#check-v7").get_by_role("link", name="V7").click()
    expect(seen.page.get_by_role("searchbox").or_(seen.page.get_by_role("textbox")).first).to_have_value("@check:V7")
    expect(seen.page.get_by_text("A plug is pulled")).to_be_visible()
    expect(seen.page.get_by_text("Told")).to_have_count(0)
    passed = visit(runs / "b-failed" / "scenarios.html", query=link("V4").removeprefix("scenarios.html")).page
    expect(passed.get_by_text("it holds")).to_be_visible()
    seen.page.get_by_role("link", name="Verdict and checklist").click()
    expect(seen.page.get_by_role("heading", level=1)).to_contain_text("Not accepted")
    assert seen.errors == []


def test_a_message_cannot_end_the_program_that_it_stands_in(visit: Visitor, runs: Path) -> None:
    seen = visit(runs / "b-failed" / "scenarios.html")
    expect(seen.page.get_by_text("A plug is pulled")).to_be_visible()
    assert seen.page.evaluate("window.broken") is None
    assert "</script><script>window.broken" not in (runs / "b-failed" / "scenarios.html").read_text(encoding="utf-8")
    assert seen.errors == []
    assert seen.foreign == []


def test_what_is_big_lies_beside_the_page(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "b-failed" / "scenarios.html", query=link("V4").removeprefix("scenarios.html")).page
    found = page.locator("a[href*='attachments/']").first
    expect(found).to_be_attached()
    target = runs / "b-failed" / (found.get_attribute("href") or "")
    assert target.read_text(encoding="utf-8") == "journal line\n" * 5000
    assert (runs / "b-failed" / "scenarios.html").stat().st_size < 1_100_000


def test_a_record_that_ends_in_the_middle_is_shown_up_to_there(visit: Visitor, tmp_path: Path) -> None:
    whole = tmp_path / "whole.ndjson"
    messages.write(whole, [("V4", "First", "PASSED"), ("V7", "Second", "PASSED")])
    text = whole.read_text(encoding="utf-8")
    (tmp_path / "cut.ndjson").write_text(text[: text.rindex("testStepFinished") + 40], encoding="utf-8")
    seen = visit(write_scenarios(tmp_path / "cut.ndjson", tmp_path / "scenarios.html", "cut"))
    seen.page.get_by_role("button", name="features/a.feature").click()
    expect(seen.page.get_by_text("Second")).to_be_visible()
    assert seen.errors == []


def test_what_is_not_ours_is_as_its_sums_say() -> None:
    subprocess.run([VENDOR.parent / "update.sh", "--check"], check=True, capture_output=True)
