"""The sample report in the repository: opens from there, whole, and tells nothing of the machine that it was made on."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect
from typer.testing import CliRunner

from reports.__main__ import app
from reports.cli.books import SAMPLE
from reports.outputs import make_all
from tests.pages import messages, sample
from tests.pages.conftest import Visitor

BYTES_MAX = 1_000_000


def test_it_opens_and_leads_to_its_scenarios(visit: Visitor) -> None:
    seen = visit(SAMPLE)
    expect(seen.page.get_by_role("heading", level=1)).to_contain_text("Accepted")
    assert seen.violations() == []
    for link in seen.page.locator("a[href]").all():
        target = (link.get_attribute("href") or "").partition("?")[0]
        assert target.startswith("#") or (SAMPLE.parent / target).exists(), target
    seen.page.locator("#check-v4").get_by_role("link", name="V4").click()
    expect(seen.page.get_by_text("concurrent_applies.feature").first).to_be_visible()
    assert seen.errors == []


def test_it_is_small_and_tells_no_machine() -> None:
    files = [path for path in SAMPLE.parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < BYTES_MAX
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(home|root|Users|tmp/\w+/|work)\b", text), path
        assert "PRIVATE KEY" not in text, path


def test_a_sample_is_made_of_a_run_and_never_replaces_anything_else(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "20260301-a"
    run = sample.passed_run(folder)
    messages.write(folder / "messages.ndjson", [("V4", "Told", "PASSED")])
    assert list(make_all(run)) == []
    call = CliRunner().invoke
    target, other = tmp_path / "sample", tmp_path / "other"
    made = call(app, ["sample", str(folder), "--output", str(target)])
    assert made.exit_code == 0, made.output
    assert "main.js" in (target / "scenarios.html").read_text(encoding="utf-8")
    assert (target / "scenarios.html").stat().st_size < 200_000
    other.mkdir()
    (other / "kept.txt").write_text("mine", encoding="utf-8")
    refused = call(app, ["sample", str(folder), "--output", str(other)])
    assert refused.exit_code == 4
    assert "is no sample report" in refused.output
    assert (other / "kept.txt").exists()


def test_a_run_without_a_page_is_told_what_makes_one(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "20260301-a"
    sample.passed_run(folder)
    for command in ("pictures", "sample"):
        told = CliRunner().invoke(app, [command, str(folder), "--output", str(tmp_path / command)])
        assert told.exit_code == 4
        assert "index.html is missing" in told.output
        assert not (tmp_path / command).exists()


def test_the_book_is_written_by_command(tmp_path: Path) -> None:
    target = tmp_path / "new" / "book.html"
    told = CliRunner().invoke(app, ["spec", "--output", str(target)])
    assert told.exit_code == 0, told.output
    assert told.output.strip() == str(target)
    page = target.read_text(encoding="utf-8")
    assert "one runner does not lock its state" in page, "planted defects come from the tests that plant them"
    assert page.count('<section class="check"') > 60
