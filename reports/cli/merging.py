"""`merge`: shards of a pipeline become one run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from model.errors import BadInput
from model.verdicts import Gate
from reports.cli.runs import LATEST, RUNS, find
from reports.merging import merge as put_together
from reports.outputs import make_all
from reports.recorder import point
from reports.table import render

GateOption = Annotated[Gate, typer.Option(help="what all of them together must have run for exit code 0")]
RunsArgument = Annotated[list[str], typer.Argument(metavar="RUN…", help="ids or folders of two runs or more")]


def merge(runs: RunsArgument, gate: GateOption = Gate.ALL) -> None:
    """Merge shards of a pipeline into one run, and judge that as a whole.

    They must have run the same features on the same kind of lab. Of a scenario that several ran, the worst verdict counts.
    `reports/latest` then points to the new run. Exits as the whole run would have.
    """
    if len(runs) < 2:  # noqa: PLR2004 - one is nothing to merge
        raise BadInput("name two runs or more")
    made = put_together([find(name) for name in runs], RUNS, gate)
    for trouble in make_all(made):
        typer.echo(f"warning: {trouble}", err=True)
    point(LATEST, made.folder)
    console = Console()
    typer.echo(render(made, str(made.folder), width=console.width, colour=console.is_terminal))
    raise typer.Exit(made.exit_code)
