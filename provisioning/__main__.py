"""`python -m provisioning`: labs on this host, for people."""

from __future__ import annotations

import typer

from provisioning.cli.commands import Commands
from provisioning.cli.telling import PROGRAM

app = typer.Typer(
    name=PROGRAM,
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"A first lab: `{PROGRAM} up mylab --topology single`, then `{PROGRAM} ssh fleet`, then `{PROGRAM} down mylab`.",
)


@app.callback()
def describe() -> None:
    """Make labs, look into them, break them by hand, remove them."""


if __name__ == "__main__":
    app(prog_name=PROGRAM)
