"""`python -m reports`: what is told beside a run, for people. The one composition root of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.pages.book import Planted, write_book
from reports.speaking import PlainErrors, say

PROGRAM = "python -m reports"
ROOT = Path(__file__).parents[1]

app = typer.Typer(
    name=PROGRAM,
    cls=PlainErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def describe() -> None:
    """Tell what is promised, and what runs have found."""


def planted_defects() -> list[Planted]:
    """The defects that tests plant into labs, so that the book can say how each check was seen to fail.

    They are handed over here, as plain data: `reports` knows nothing of labs, and a test's list stays beside its test.
    """
    from tests.faulty_labs.defects import DEFECTS  # noqa: PLC0415 - imports the drivers of labs, which no other command needs

    return [
        Planted(defect.name, defect.topology, check, tuple(s.scenario for s in defect.symptoms if s.check == check))
        for defect in DEFECTS
        for check in dict.fromkeys(symptom.check for symptom in defect.symptoms)
    ]


@app.command("spec")
def spec(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = ROOT / "reports" / "spec.html",
) -> None:
    """Write the book of promises: every check, the scenarios that prove it, a glossary. Needs no lab and no run."""
    say(str(write_book(ROOT, output, planted_defects())))


if __name__ == "__main__":
    app(prog_name=PROGRAM)
