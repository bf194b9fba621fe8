"""What is told without a run: the book of promises, and a tour of what this project shows."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from model.errors import BadInput
from reports.cli.runs import ROOT
from reports.pages.book import Planted, write_book

BOOK = ROOT / "reports" / "spec.html"
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
    opener = shutil.which("xdg-open") or shutil.which("open")
    for title, page in zip(("what is promised, and how it is proven", "what a run found"), pages, strict=True):
        opened = opener is not None and subprocess.run([opener, str(page)], check=False, capture_output=True).returncode == 0
        typer.echo(f"{'opened' if opened else 'open in a browser'}: {page} ({title})")
