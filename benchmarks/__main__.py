"""`python -m benchmarks`: measures, and shows what it found; nothing here fails because something was slow."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import command, containers, gate, lab, memory, pages, proxmox, second_start, whole_gate
from benchmarks.calm import Calm
from benchmarks.host import ROOT, this_host
from benchmarks.results import Table
from benchmarks.tables import for_terminal, markdown, rewrite
from model.errors import AcceptanceError
from provisioning import drivers
from provisioning.progress import Progress

Measurement = Callable[[int, Calm, Callable[[str], object]], Table]
MEASUREMENTS: dict[str, Measurement] = {
    "lab": lab.measure,
    "containers": containers.measure,
    "gate": gate.measure,
    "whole-gate": whole_gate.measure,
    "command": command.measure,
    "memory": memory.measure,
    "second-start": second_start.measure,
    "pages": pages.measure,
    "proxmox": proxmox.measure,
}
ON_REQUEST = {"whole-gate", "proxmox"}
"""The one is longer than all others together, the other wants the provider and what is installed for developing."""

DOCUMENT = ROOT / "docs/benchmarks.md"
SCHEMA_VERSION = 1
USAGE_ERROR = 4
HELP = """Measure how fast and how big embedded labs are.

Wants root and a finished `make setup`, as it builds real labs. Medians of --runs; what is compared is measured in turn.

- `lab`: both topologies from nothing to everything serving, by phase, and down; with formatted drives and without
- `containers`: the same nine services as plain containers (podman), in turn with the lab
- `gate`: the guide's checklist on production, and its share of unavoidable waiting
- `whole-gate`: everything that is asked for on production, with one lab and with two (only when asked for: a quarter of an hour each run)
- `command`: one command through testinfra, beside the same over OpenSSH and paramiko
- `memory`: of the whole lab, by machine
- `second-start`: from the command to the first scenario, everything cached
- `pages`: of a run, made and opened in a browser (wants `make browser`)
- `proxmox`: labs on a stand-in of Proxmox VE, up and down by phase (only when asked for; wants `make proxmox dev`)
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


def _known(names: list[str] | None) -> list[str]:
    for name in names or ():
        if name not in MEASUREMENTS:
            raise typer.BadParameter(f"{name!r} is not measured here; valid ones: {', '.join(MEASUREMENTS)}")
    return names or [name for name in MEASUREMENTS if name not in ON_REQUEST]


@app.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]}, epilog="All of it takes about 15 minutes on two cores.")
def main(  # noqa: PLR0913, PLR0917 - the options of a command line
    what: Annotated[
        list[str] | None, typer.Argument(callback=_known, help="What to measure; everything but `whole-gate` and `proxmox` by default.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="How often; medians want 5.")] = 5,
    calm: Annotated[int, typer.Option(min=0, metavar="SECONDS", help="Wait so long at most before each run for a calm host.")] = 30,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every value into a file.")] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    docs: Annotated[bool, typer.Option("--docs", help="Put the tables that were measured into docs/benchmarks.md.")] = False,
) -> None:
    """Measure, show, write."""
    logging.basicConfig(level=logging.ERROR)
    progress, host = Progress(), this_host()
    tables: list[Table] = []
    try:
        drivers.embedded()
        for name in what or ():
            with progress.step(f"measuring {name}") as step:
                tables.append(MEASUREMENTS[name](runs, Calm(timedelta(seconds=calm)), lambda note: step.report(note=note)))
        if docs:
            rewrite(DOCUMENT, tables, host)
    except AcceptanceError as error:
        progress.say(f"error: {error}")
        raise typer.Exit(USAGE_ERROR if isinstance(error, drivers.NOT_READY) else 1) from error
    finally:
        _show(tables, as_markdown=as_markdown)
        if json_file is not None:
            data = {"schema_version": SCHEMA_VERSION, "host": asdict(host), "runs": runs, "tables": [table.as_data() for table in tables]}
            json_file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _show(tables: list[Table], *, as_markdown: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    for table in tables:
        if as_markdown:
            console.print(f"### {table.title}\n\n{markdown(table)}\n", markup=False, highlight=False, soft_wrap=True)
        else:
            console.print(for_terminal(table))


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
