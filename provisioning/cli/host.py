"""Commands for this host: `doctor`, `setup`."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from provisioning import hostcheck
from provisioning.cli.lifetime import Mc, Minio, Tofu
from provisioning.cli.telling import FAILED, OUT, say
from provisioning.setup import prepare


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


def setup(minio: Minio = None, tofu: Tofu = None, mc: Mc = None) -> None:
    """Make programs and the machine image, where they are missing; takes minutes the first time, seconds after that.

    System packages come first: `make setup` installs them, and calls this.
    """
    given: dict[str, Path | None] = {"minio": minio, "tofu": tofu, "mc": mc}
    prepare(given={name: path for name, path in given.items() if path is not None})
