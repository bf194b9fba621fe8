"""The tour: opens two pages where there is a screen, and says where they are where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.__main__ import app
from reports.cli import books


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A screen, and an opener that notes what it is told to open."""
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n', encoding="utf-8")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:/bin:/usr/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(books, "BOOK", tmp_path / "spec.html")
    return tmp_path


def test_it_opens_both_pages(screen: Path) -> None:
    told = CliRunner().invoke(app, ["tour"])
    assert told.exit_code == 0, told.output
    assert (screen / "opened").read_text(encoding="utf-8").splitlines() == [str(screen / "spec.html"), str(books.SAMPLE)]
    assert (screen / "spec.html").exists()


def test_without_a_screen_it_says_where_they_are(screen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    told = CliRunner().invoke(app, ["tour"])
    assert [line.split(" (")[0] for line in told.output.splitlines()] == [
        f"open in a browser: {screen / 'spec.html'}",
        f"open in a browser: {books.SAMPLE}",
    ]
    assert not (screen / "opened").exists()


def test_a_missing_sample_is_named_with_the_remedy(screen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "SAMPLE", screen / "none" / "index.html")
    told = CliRunner().invoke(app, ["tour"])
    assert told.exit_code == 4
    assert "git checkout docs/sample-report" in told.output
