"""`compare`: two runs side by side."""

from __future__ import annotations

from collections.abc import Iterable

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import comparing
from reports.cli.runs import RunArgument, read
from reports.comparing import Difference


def compare(before: RunArgument, after: RunArgument = "latest") -> None:
    """Tell what differs between two runs: verdicts, and numbers beyond noise.

    Noise: medians that are apart by up to 25 % or one second, or by what a run scatters by itself. Exits with 1 when something
    got worse, else with 0.
    """
    one, other = read(before), read(after)
    console = Console(highlight=False, soft_wrap=False)
    console.print(f"{one.id} ({one.topology}, {one.driver}): {one.conclusion}", markup=False)
    console.print(f"{other.id} ({other.topology}, {other.driver}): {other.conclusion}", markup=False)
    if one.digests.features != other.digests.features:
        console.print("The features differ between the two.", style="yellow")
    if (one.topology, one.driver) != (other.topology, other.driver):
        console.print("The labs differ, so their numbers say little about each other.", style="yellow")
    changed, moved = list(comparing.verdicts(one, other)), list(comparing.numbers(one, other))
    _table(console, "verdicts that differ", changed)
    _table(console, "numbers beyond noise", moved)
    raise typer.Exit(int(any(entry.worse for entry in [*changed, *moved])))


def _table(console: Console, title: str, entries: Iterable[Difference]) -> None:
    entries = list(entries)
    if not entries:
        console.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left")
    for column in ("what", "before", "after"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        table.add_row(Text(entry.what), Text(entry.before), Text(entry.after, style="bold red" if entry.worse else "green"))
    console.print(table)
