"""What a run found, as it is told in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from model.run import CheckRow, Run
from model.secrets import SECRETS
from model.verdicts import Verdict

STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.INCONCLUSIVE: "magenta", Verdict.NOT_RUN: "yellow"}


def render(run: Run, *, width: int, colour: bool) -> str:
    """Render table, conclusion and where the evidence lies.

    Args:
        run: Concluded.
        width: Columns of the terminal.
        colour: Whether it can show colours.

    Returns:
        Lines of text, secrets masked.
    """
    console = Console(width=width, force_terminal=colour, no_color=not colour, highlight=False)
    with console.capture() as captured:
        for part in _parts(run):
            console.print(part)
    return SECRETS.mask(captured.get().rstrip("\n"))


def _parts(run: Run) -> Iterator[RenderableType]:
    if run.rows:
        yield _table(run.rows, f"{run.setting.topology} on lab {run.setting.driver}, tier {run.setting.tier}")
    if planned := sum(check.planned for check in run.catalogue):
        yield Text(f"{planned} checks are planned: they have no scenario yet and count in no gate.", style="dim")
    for entry in run.dirty:
        yield Text(f"dirty: {entry}", style="bold red")
    colour = "bold green" if run.exit_code == 0 else "bold red" if run.exit_code == 1 else "bold yellow"
    yield Text(f"{run.conclusion} Exit code {run.exit_code}.", style=colour)
    yield Text(f"Record and evidence: {run.told(run.folder)}")


def _table(rows: list[CheckRow], title: str) -> Table:
    table = Table(title=title, title_justify="left", show_lines=False, expand=False)
    table.add_column("check", no_wrap=True)
    table.add_column("sentence of the guide", ratio=3)
    table.add_column("verdict", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("measured", ratio=2)
    for row in rows:
        numbers = "\n".join(dict.fromkeys(entry.sentence() for entry in row.measurements))
        seconds = f"{row.seconds:.1f}" if row.ran else ""
        table.add_row(row.check.id, Text(row.check.sentence), Text(row.words, style=STYLES[row.verdict]), seconds, Text(numbers))
    return table
