"""Commands for this host: `doctor`, `setup`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from provisioning import hostcheck
from provisioning.cli.arguments import Mc, Minio, Tofu
from provisioning.cli.telling import FAILED, OUT, say
from provisioning.setup import prepare, prepare_programs


def doctor() -> None:
    """Look at what this host can and what it lacks for embedded labs, with the remedy; exit status 1 if it lacks something.

    Needs no root, but sees more with it.
    """
    findings = hostcheck.examine()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "what", "found", "remedy"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        mark = Text("ok", "green") if finding.ok else Text("lacks", "bold red")
        table.add_row(mark, Text(finding.name), Text(finding.found), Text("" if finding.ok else finding.remedy))
    OUT.print(table, soft_wrap=False)
    lacking = sum(not finding.ok for finding in findings)
    if lacking:
        say(f"this host is not ready for embedded labs: {lacking} of {len(findings)} looks found something lacking")
        raise typer.Exit(FAILED)
    say("this host is ready for embedded labs")


class Extra(StrEnum):
    """What not everybody needs."""

    PROXMOX = "proxmox"
    OTHER_STORES = "other-stores"


def setup(
    minio: Minio = None,
    tofu: Tofu = None,
    mc: Mc = None,
    extras: Annotated[
        list[Extra] | None,
        typer.Option(
            "--with",
            help="Make as well, a minute or two each: what labs on Proxmox VE need (proxmox), stores that cannot lock (other-stores).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make programs and the machine image, where they are missing; takes minutes the first time, seconds after that.

    System packages come first: `make setup` installs them, and calls this. On a host that cannot have embedded labs (no root, for one),
    --with makes programs alone: enough for labs on Proxmox VE.
    """
    given: dict[str, Path | None] = {"minio": minio, "tofu": tofu, "mc": mc}
    chosen = {name: path for name, path in given.items() if path is not None}
    if extras and not all(finding.ok for finding in hostcheck.essentials()):
        prepare_programs(given=chosen, extras=extras)
    else:
        prepare(given=chosen, extras=extras or ())
