"""`python -m provisioning`: labs on this host, for people."""

from __future__ import annotations

import typer

from provisioning.cli import applying, checking, configuration, healing, host, lifetime, machines
from provisioning.cli.telling import PROGRAM, PlainErrors

app = typer.Typer(
    name=PROGRAM,
    cls=PlainErrors,
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


LABS, MACHINES, HOST, OWN = "Labs", "Machines of a lab", "This host", "A lab that you own"
PASSING_ON = {"ignore_unknown_options": True}

app.command("up", rich_help_panel=LABS)(lifetime.up)
app.command("down", rich_help_panel=LABS)(lifetime.down)
app.command("list", rich_help_panel=LABS)(lifetime.list_labs)
app.command("sweep", rich_help_panel=LABS)(lifetime.sweep)
app.command("ssh", rich_help_panel=MACHINES, context_settings=PASSING_ON)(machines.ssh)
app.command("exec", rich_help_panel=MACHINES, context_settings=PASSING_ON)(machines.execute)
app.command("logs", rich_help_panel=MACHINES)(machines.logs)
app.command("console", rich_help_panel=MACHINES)(machines.console)
app.command("power", rich_help_panel=MACHINES)(machines.power)
app.command("check", rich_help_panel=OWN)(checking.check)
app.command("apply", rich_help_panel=OWN)(applying.apply)
app.command("heal", rich_help_panel=OWN)(healing.heal)
app.command("doctor", rich_help_panel=HOST)(host.doctor)
app.command("setup", rich_help_panel=HOST)(host.setup)
app.command("reference", rich_help_panel=LABS)(configuration.configuration)

if __name__ == "__main__":
    app(prog_name=PROGRAM)
