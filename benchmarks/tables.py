"""Shows tables: on a terminal, as Markdown, and between the markers of a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table as Shown

from benchmarks.host import Host
from benchmarks.results import HEADINGS, Table
from model.errors import BadInput


def for_terminal(table: Table) -> Shown:
    """A table for rich."""
    shown = Shown(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, caption="\n".join(table.remarks), caption_justify="left")
    for heading in HEADINGS:
        shown.add_column(heading, justify="right" if heading in {"median", "n"} else "left")
    for row in table.rows:
        colour = {True: "green", False: "red", None: ""}[row.reached]
        shown.add_row(*row.cells(), style=colour)
    return shown


def markdown(table: Table) -> str:
    """A table in Markdown, with its remarks and the command that measures it again."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{'|'.join(' --- ' for _ in HEADINGS)}|"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row.cells())} |" for row in table.rows]
    lines += ["", *(f"- {remark}" for remark in table.remarks), *([""] if table.remarks else []), f"Again: `{table.command}`"]
    return "\n".join(lines)


def rewrite(document: Path, tables: Sequence[Table], host: Host) -> None:
    """Put new tables between the markers of a document; what was not measured now stays as it was.

    Args:
        document: Holds `<!-- NAME:begin -->` and `<!-- NAME:end -->` for each table, and for `host`.
        tables: What was measured.
        host: Where.

    Raises:
        BadInput: A pair of markers is missing; nothing is written then.
    """
    text = document.read_text(encoding="utf-8")
    for table in tables:
        text = replaced(text, table.name, f"{markdown(table)}\n\nMeasured {host.when} at revision {host.revision}.")
    document.write_text(replaced(text, "host", host.sentence()), encoding="utf-8")


def replaced(text: str, name: str, body: str) -> str:
    """A text with what stands between a pair of markers exchanged.

    Raises:
        BadInput: There is no such pair.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    found = re.compile(f"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
    if not found.search(text):
        raise BadInput(f"the document has no place for {name!r}: expected {begin} and {end}")
    return found.sub(lambda marks: f"{marks[1]}{body}\n{marks[2]}", text)
