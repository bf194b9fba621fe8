"""What is told without a run: the book of promises, and a tour of what this project shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from model.errors import BadInput
from reports.cli.runs import ROOT
from reports.pages.book import Planted, write_book

BOOK = ROOT / "reports" / "spec.html"
OPENED_WITHIN = 10
"""Seconds; openers return at once."""

SAMPLE = ROOT / "docs" / "sample-report" / "index.html"


def planted_defects() -> list[Planted]:
    """The defects that tests plant into labs, so that the book can say how each check was seen to fail.

    They are handed over here, as plain data: pages know nothing of labs, and a test's list stays beside its test.
    """
    from tests.faulty_labs.defects import DEFECTS  # noqa: PLC0415 - imports the drivers of labs, which no other command needs

    return [
        Planted(defect.name, defect.topology, check, tuple(s.scenario for s in defect.symptoms if s.check == check))
        for defect in DEFECTS
        for check in dict.fromkeys(symptom.check for symptom in defect.symptoms)
    ]


def spec(output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = BOOK) -> None:
    """Write the book of promises: every check, the scenarios that prove it, a glossary. Needs no lab and no run."""
    typer.echo(write_book(ROOT, output, planted_defects()))


def tour() -> None:
    """Make the book of promises, and show it and a sample report; where there is no browser, say where they are."""
    if not SAMPLE.exists():
        raise BadInput(f"{SAMPLE} is missing; `git checkout docs/sample-report` brings it back")
    pages = (write_book(ROOT, BOOK, planted_defects()), SAMPLE)
    for title, page in zip(("what is promised, and how it is proven", "what a run found"), pages, strict=True):
        typer.echo(f"{'opened' if _open(page) else 'open in a browser'}: {page} ({title})")


def _open(page: Path) -> bool:
    """Open a page where there is a screen; a browser of the terminal would take the terminal away."""
    screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    opener = shutil.which("xdg-open") or shutil.which("open")
    if not screen or opener is None:
        return False
    try:
        return subprocess.run([opener, str(page)], check=False, capture_output=True, timeout=OPENED_WITHIN).returncode == 0
    except subprocess.TimeoutExpired:
        return False
