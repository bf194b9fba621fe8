"""Which run is meant, and how errors of people are told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from model.errors import AcceptanceError, BadInput
from reports.record import MESSAGES
from reports.recorded import FILE, RecordedRun, load
from reports.rejudging import rejudge

PROGRAM = "python -m reports"
ROOT = Path(__file__).parents[2]
RUNS = ROOT / "reports/runs"
LATEST = ROOT / "reports/latest"
SHOWN = 10
"""Ids that are told to somebody who mistyped one."""

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="id of a run in reports/runs, its beginning, a folder, or `latest`")]


class PlainErrors(TyperGroup):
    """Tells errors of ours in one line, and exits with 4 as pytest does for wrong usage."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except AcceptanceError as error:
            typer.echo(f"{PROGRAM}: {error}", err=True)
            raise typer.Exit(4) from error
        except OSError as error:
            typer.echo(f"{PROGRAM}: {error.filename or ''}: {error.strerror}", err=True)
            raise typer.Exit(4) from error


def find(name: str, runs: Path = RUNS) -> Path:
    """The folder of a run.

    Args:
        name: Id, beginning of an id, folder, or `latest`.
        runs: Where runs are.

    Raises:
        BadInput: There is none, or several begin so; names the newest.
    """
    if name == "latest" and (runs.parent / "latest").is_dir():
        return (runs.parent / "latest").resolve()
    for folder in (runs / name, Path(name)):
        if (folder / FILE).is_file() or (folder / MESSAGES).is_file():
            return folder.resolve()
    known = sorted((path.name for path in runs.iterdir() if path.is_dir()), reverse=True) if runs.is_dir() else []
    fitting = [entry for entry in known if name and entry.startswith(name)]
    if len(fitting) == 1:
        return runs / fitting[0]
    newest = ", ".join((fitting or known)[:SHOWN]) or f"none: run `pytest features/` first ({runs} is empty)"
    raise BadInput(f"{'several runs begin with' if fitting else 'there is no run'} {name!r}; the newest are {newest}")


def read(name: str) -> RecordedRun:
    """A run as it was concluded; one whose conclusion is missing or damaged is judged from its record, and that is said."""
    folder = find(name)
    try:
        return load(folder)
    except BadInput as error:
        run = rejudge(folder)
        typer.echo(f"{error}; it was made again from {MESSAGES}", err=True)
        return run
