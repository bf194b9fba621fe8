"""What a run found, as it is told in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from model.secrets import SECRETS
from model.verdicts import ExitCode, Verdict
from reports.recorded import RecordedCheck, RecordedRun

COLOURS = {int(ExitCode.OK): "bold green", int(ExitCode.FAILED): "bold red"}
STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.INCONCLUSIVE: "magenta", Verdict.NOT_RUN: "yellow"}


def render(run: RecordedRun, where: str, *, width: int, colour: bool) -> str:
    """Render table, conclusion and where the evidence lies.

    Args:
        run: Concluded.
        where: Its folder, as it is told.
        width: Columns of the terminal.
        colour: Whether it can show colours.

    Returns:
        Lines of text, secrets masked.
    """
    console = Console(width=width, force_terminal=colour, no_color=not colour, highlight=False)
    with console.capture() as captured:
        for part in _parts(run, where):
            console.print(part)
    return SECRETS.mask(captured.get().rstrip("\n"))


def _parts(run: RecordedRun, where: str) -> Iterator[RenderableType]:
    if run.checks:
        yield _table(run.checks, f"{run.topology} on lab {run.driver}, tier {run.tier}")
    if run.planned:
        yield Text(f"{len(run.planned)} checks are planned: they have no scenario yet and count in no gate.", style="dim")
    for entry in run.dirty:
        yield Text(f"dirty: {entry}", style="bold red")
    colour = COLOURS.get(run.exit_code, "bold yellow")
    yield Text(f"{run.conclusion} Exit code {run.exit_code}.", style=colour)
    yield Text(f"Report: {where}/index.html; record and evidence beside it.")


def _table(rows: tuple[RecordedCheck, ...], title: str) -> Table:
    table = Table(title=title, title_justify="left", show_lines=False, expand=False)
    table.add_column("check", no_wrap=True)
    table.add_column("sentence of the guide", ratio=3)
    table.add_column("verdict", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("measured", ratio=2)
    for row in rows:
        numbers = "\n".join(dict.fromkeys(entry.sentence() for entry in row.measurements))
        seconds = f"{row.seconds:.1f}" if row.ran else ""
        table.add_row(row.id, Text(row.sentence), Text(row.words, style=STYLES[row.verdict]), seconds, Text(numbers))
    return table
