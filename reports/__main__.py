"""`python -m reports`: the book of promises, and recorded runs, without a lab."""

from __future__ import annotations

import typer

from reports.cli import books, comparing, merging, pictures, showing
from reports.cli.runs import PROGRAM, PlainErrors

app = typer.Typer(
    name=PROGRAM,
    cls=PlainErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"RUN is an id from reports/runs, its beginning, a folder, or `latest`. First: `{PROGRAM} show`.",
)


@app.callback()
def describe() -> None:
    """Tell what is promised; read, judge, compare and merge recorded runs. No lab is needed, and none is touched."""


NONE, ONE, SEVERAL = "Without a run", "One run", "Several runs"
app.command("spec", rich_help_panel=NONE)(books.spec)
app.command("tour", rich_help_panel=NONE)(books.tour)
app.command("show", rich_help_panel=ONE)(showing.show)
app.command("rejudge", rich_help_panel=ONE)(showing.rejudge)
app.command("pictures", rich_help_panel=ONE)(pictures.pictures)
app.command("sample", rich_help_panel=ONE)(pictures.sample)
app.command("schema", rich_help_panel=ONE)(showing.schema)
app.command("compare", rich_help_panel=SEVERAL)(comparing.compare)
app.command("merge", rich_help_panel=SEVERAL)(merging.merge)

if __name__ == "__main__":
    app(prog_name=PROGRAM)
