"""The book of promises: made from the feature files alone, complete, readable, printable."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from model.catalogue import Catalogue
from model.errors import BadInput
from model.features import read_features
from reports.pages.book import Planted, read_book, write_book
from tests.pages.conftest import Visitor

ROOT = Path(__file__).parents[2]
PLANTED = [Planted("one runner does not lock its state", "single", "V4", ("Every other runner is refused",))]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_book(ROOT, tmp_path_factory.mktemp("book") / "spec.html", PLANTED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_and_nothing_leaves_the_page(visit: Visitor, book: Path, scheme: str) -> None:
    seen = visit(book, scheme=scheme)
    assert seen.violations() == []
    assert seen.errors == []
    assert seen.foreign == []
    assert visit(book, width=375).page.evaluate("document.documentElement.scrollWidth") <= 375


def test_every_check_and_every_scenario_is_told_once(visit: Visitor, book: Path) -> None:
    catalogue = Catalogue.load(ROOT / "features" / "checklist.toml")
    scenarios = read_features(ROOT / "features", ROOT, catalogue)
    page = visit(book).page
    assert page.locator("section.check").count() == len(catalogue)
    assert page.locator("article.scenario").count() == len({(scenario.file, scenario.line) for scenario in scenarios})
    planned = [check.id for check in catalogue if check.planned]
    assert page.locator(".toc .verdict.planned").count() == len(planned)
    shown = " ".join(page.locator("article.scenario").all_text_contents())
    for scenario in scenarios:
        for sentence in scenario.sentences:
            if not scenario.parameter:
                assert sentence.text in shown


def test_an_outline_keeps_its_slots_and_its_tables(visit: Visitor, book: Path) -> None:
    page = visit(book).page
    outline = page.locator("article.scenario", has_text="16 writers at once").first
    assert outline.locator("h4 .slot").all_inner_texts() == ["how"]
    assert outline.locator("table").count() == 3
    expect(outline.locator("table").first).to_contain_text("for a key that was just deleted, each last byte held back")


def test_a_check_shows_the_defect_that_it_was_seen_to_find(visit: Visitor, book: Path) -> None:
    page = visit(book).page
    expect(page.locator("#check-v4 .aside").first).to_contain_text("one runner does not lock its state")
    expect(page.locator("#check-v7")).to_contain_text("No defect is planted for this check yet.")


def test_words_are_explained_where_they_are_first_used(visit: Visitor, book: Path) -> None:
    page = visit(book).page
    first = page.locator("a.word", has_text="bucket").first
    section = first.locator("xpath=ancestor::section[1]")
    expect(section.locator(".aside dt", has_text="bucket")).to_have_count(1)
    for link in page.locator("a[href^='#']").all():
        assert page.locator(f"[id='{(link.get_attribute('href') or '')[1:]}']").count() == 1


def test_a_feature_with_a_defect_makes_no_book(tmp_path: Path) -> None:
    features = tmp_path / "features"
    features.mkdir()
    (features / "checklist.toml").write_text('[[check]]\nid = "V1"\nsentence = "It runs"\nsource = "here"\n', encoding="utf-8")
    (features / "a.feature").write_text("Feature: A\n  Rule: It runs\n    Scenario: B\n      Given nothing\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"a\.feature:3: there is no Then"):
        read_book(tmp_path)


def test_markup_in_a_feature_stays_text(visit: Visitor, tmp_path: Path) -> None:
    features = tmp_path / "features"
    features.mkdir()
    (features / "checklist.toml").write_text('[[check]]\nid = "V1"\nsentence = "It <b>runs</b>"\nsource = "here"\n', encoding="utf-8")
    title = '"B" & <script>window.broken = 1</script>'
    text = f"Feature: A\n  @check:V1\n  Rule: It <b>runs</b>\n    Scenario: {title}\n      Then a lock is <i>seen</i>\n"
    (features / "a.feature").write_text(text, encoding="utf-8")
    seen = visit(write_book(tmp_path, tmp_path / "book.html"))
    assert seen.page.evaluate("window.broken") is None
    expect(seen.page.locator("#check-v1-title")).to_have_text("V1It <b>runs</b>")
    assert seen.errors == []
