"""`show` and `rejudge`: one run, told in the terminal."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from model.errors import BadInput
from model.verdicts import Gate
from reports import recorded
from reports.cli.runs import RunArgument, find, read
from reports.outputs import make_all
from reports.recorded import RecordedRun
from reports.rejudging import rejudge as judge_again
from reports.table import render

LimitOption = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="NAME=NUMBER", help="another threshold for a measurement, by name; may be repeated"),
]
GateOption = Annotated[Gate | None, typer.Option(help="another gate: what must have been run for exit code 0")]


def _tell(run: RecordedRun) -> None:
    console = Console()
    typer.echo(render(run, str(run.folder), width=console.width, colour=console.is_terminal))


def show(run: RunArgument = "latest") -> None:
    """Tell a run's verdicts, numbers and conclusion in the terminal, from its record."""
    _tell(read(run))


def rejudge(run: RunArgument, limit: LimitOption = None, gate: GateOption = None) -> None:
    """Judge a run again from its record: aggregation, thresholds, conclusion, exit code and every page.

    No lab is needed. A verdict can only get worse by other thresholds, as what a better one would rest on was not observed.
    Exits as the run would have.
    """
    judged = judge_again(find(run), _limits(limit or []), gate)
    _tell(judged)
    for trouble in make_all(judged):
        typer.echo(f"warning: {trouble}", err=True)
    raise typer.Exit(judged.exit_code)


def schema() -> None:
    """Print the JSON Schema of `run.json`, for programs that read it."""
    typer.echo(json.dumps(recorded.schema(), indent=1))


def _limits(given: list[str]) -> dict[str, float]:
    limits = {}
    for entry in given:
        name, _, number = entry.rpartition("=")
        try:
            limits[name.strip()] = float(number)
        except ValueError:
            raise BadInput(f"--limit {entry}: it must read NAME=NUMBER, such as 'out of rotation after=20'") from None
    return limits
