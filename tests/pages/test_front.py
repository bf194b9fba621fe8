"""The front page in a browser: what a reviewer reads, filters and prints; nothing of it needs a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.pages import sample
from tests.pages.conftest import Visitor

NAMES = ("a-passed", "b-failed", "c-empty")


@pytest.mark.parametrize(("name", "scheme"), [("a-passed", "light"), ("b-failed", "light"), ("b-failed", "dark"), ("c-empty", "dark")])
def test_nobody_is_kept_out_and_nothing_leaves_the_page(visit: Visitor, runs: Path, name: str, scheme: str) -> None:
    seen = visit(runs / name / "index.html", scheme=scheme)
    for part in seen.page.locator("details").all():
        part.evaluate("part => { part.open = true }")
    assert seen.violations() == []
    assert seen.errors == []
    assert seen.foreign == []


@pytest.mark.parametrize(
    ("name", "words", "sign"),
    [
        ("a-passed", "Accepted: all 2 required checks hold.", "✓"),
        ("b-failed", "Not accepted: 2 of 5 promises were found broken.", "✗"),
        ("c-empty", "No verdict: the run was interrupted.", "⊘"),
    ],
)
def test_the_verdict_is_one_sentence_with_a_sign(visit: Visitor, runs: Path, name: str, words: str, sign: str) -> None:
    page = visit(runs / name / "index.html").page
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    expect(page.locator(".sign")).to_have_text(sign)


def test_every_verdict_is_told_by_a_word_and_what_was_not_run_is_never_green(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "b-failed" / "index.html").page
    told = {row: page.locator(f"#check-{row.lower()} > td > .verdict").first for row in ("V4", "V7", "T1", "H21", "H05")}
    assert [mark.text_content() for mark in told.values()] == [
        "✓passed",
        "✗failed",
        "◐passed in part, 1 of 2",
        "?inconclusive",
        "○planned",
    ]
    green = told["V4"].evaluate("mark => getComputedStyle(mark).color")
    assert green not in {mark.evaluate("mark => getComputedStyle(mark).color") for row, mark in told.items() if row != "V4"}
    expect(page.locator("#check-t1 .reason")).to_have_text("not selected")
    expect(page.locator("#check-h05 .reason")).to_have_text("no scenario proves it yet")


def test_a_row_shows_what_was_measured_of_what_is_allowed(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "a-passed" / "index.html").page
    expect(page.locator("#check-v7 > td").nth(2)).to_contain_text("out of rotation after (plug pulled) 4.6 s of 35 s allowed")


def test_the_filter_works_by_keyboard_alone(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "b-failed" / "index.html").page
    rows, shown = page.locator("tr[data-verdict]:visible"), page.get_by_role("status")
    expect(shown).to_have_text("6 of 6 checks shown")
    page.keyboard.press("f")
    expect(shown).to_have_text("3 of 6 checks shown")
    assert {row.get_attribute("data-verdict") for row in rows.all()} == {"failed", "inconclusive"}
    page.keyboard.press("/")
    page.keyboard.type("fails over")
    expect(shown).to_have_text("1 of 6 checks shown")
    page.keyboard.press("Escape")
    expect(shown).to_have_text("6 of 6 checks shown")
    passed = page.get_by_role("checkbox", name="passed (1)")
    passed.focus()
    page.keyboard.press("Space")
    expect(passed).not_to_be_checked()
    expect(page.locator("#check-v4")).to_be_hidden()
    page.get_by_role("checkbox", name="Hardening").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Hardening")).to_be_hidden()
    page.keyboard.press("a")
    expect(shown).to_have_text("6 of 6 checks shown")


def test_without_scripts_everything_is_shown(runs: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((runs / "b-failed" / "index.html").as_uri())
    assert page.locator("tr[data-verdict]:visible").count() == 6
    assert page.locator(".filter:visible").count() == 0
    context.close()


def test_text_that_wants_to_be_markup_stays_text(visit: Visitor, runs: Path) -> None:
    seen = visit(runs / "b-failed" / "index.html")
    expect(seen.page.locator("#failure-2-title")).to_have_text(f"Nobody minds {sample.TRICKY}")
    assert seen.page.locator("script").count() == 1
    assert sample.TRICKY in (seen.page.locator("#failure-2 dd").nth(1).text_content() or "")
    assert seen.page.locator("#failure-2 header").evaluate("part => getComputedStyle(part).direction") == "ltr"


def test_a_failure_says_what_to_do(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "b-failed" / "index.html").page
    failure = page.locator("#failure-1")
    told = dict(zip(failure.locator("dt").all_inner_texts(), failure.locator("dd").all_inner_texts(), strict=True))
    assert told["Expected"] == "runner02 to be out of rotation within 35 s"
    assert told["Observed"] == "41.2 s on balancer01"
    assert "HAProxy automatically fails over when a runner goes down" in told["The guide says"]
    assert told["Run it alone"].strip() == (
        ".venv/bin/pytest features/balancer/failover.feature::a_runner_is_shut_down_politely --topology single"
    )
    assert told["Look inside"].splitlines()[1:] == [
        ".venv/bin/python -m provisioning ssh balancer01",
        ".venv/bin/python -m provisioning ssh runner02",
    ]
    failure.get_by_text("Settings of backend and balancer").click()
    expect(failure.get_by_text("bind 10.1.0.102:9000")).to_be_visible()


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(visit: Visitor, runs: Path, name: str) -> None:
    page = visit(runs / name / "index.html").page
    for link in page.locator("a[href]").all():
        target = link.get_attribute("href") or ""
        if target.startswith("#"):
            assert page.locator(f"[id='{target[1:]}']").count() == 1, target
        else:
            assert (runs / name / target.partition("?")[0]).exists(), target


def test_a_timeline_is_a_picture_and_a_text(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "b-failed" / "index.html").page
    picture = page.get_by_role("img", name=re.compile("Nobody who connects notices"))
    expect(picture.locator("svg")).to_be_visible()
    for words in ("Plug pulled on runner02 at 0.0 s, healed at 36.0 s", "out of rotation after", "3 failed, 1 unknown", "runner01 113"):
        expect(page.locator("figcaption")).to_contain_text(words)
    drawn = picture.locator("text").all_text_contents()
    assert {"runner01", "runner02", "runner03", "nobody", "plug pulled: runner02", "allowed: 35 s"} <= set(drawn)


def test_the_page_is_dark_where_people_want_it_dark(visit: Visitor, runs: Path) -> None:
    colours = {
        scheme: visit(runs / "b-failed" / "index.html", scheme=scheme).page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('figure svg text')).fill]"
        )
        for scheme in ("light", "dark")
    }
    assert colours["light"][0] == "rgb(252, 251, 248)"
    assert colours["dark"][0] == "rgb(21, 24, 28)"
    assert colours["light"][1] != colours["dark"][1]


def test_nothing_is_wider_than_a_telephone(visit: Visitor, runs: Path) -> None:
    for name in NAMES:
        page = visit(runs / name / "index.html", width=375).page
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, name


def test_it_prints_as_a_record_to_sign(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "b-failed" / "index.html").page
    page.keyboard.press("f")
    page.emulate_media(media="print")
    record = page.locator("section.record")
    for words in ("b" * 64, "a" * 64, "OpenTofu 1.12.3", "T1 (passed in part, 1 of 2: not selected)", "H05", "Date and signature"):
        expect(record).to_contain_text(words)
    expect(page.locator(".filter")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("tr[data-verdict]:visible").count() == 6, "a filter must not leave rows out of the record"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_trend_leads_to_the_runs_before(visit: Visitor, runs: Path) -> None:
    page = visit(runs / "c-empty" / "index.html").page
    rows = page.locator("section[aria-labelledby=trend] tbody tr")
    assert rows.count() == 3
    expect(rows.nth(1)).to_contain_text("4.6 s of 35 s")
    rows.nth(1).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Not accepted")
