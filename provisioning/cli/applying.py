"""The command `apply`: the reference configuration on machines that somebody owns, shown first, undone at will."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.syntax import Syntax

from model.errors import BadInput, UnsafeLab
from model.lab import Lab
from model.secrets import SECRETS
from provisioning import drivers
from provisioning.applying.doing import undo as undo_on
from provisioning.applying.lab import Planned, carry_out, owned_facts, plan, programs_for, wanted_of_owned
from provisioning.cli.arguments import Minio, Tofu
from provisioning.cli.telling import FAILED, OUT, PROGRAM, note, say


def apply(
    path: Annotated[Path, typer.Argument(metavar="LAB", help="The lab file, with permissions.provision = true.")],
    yes: Annotated[
        str | None, typer.Option("--yes", metavar="NAME", help="The lab's name, instead of typing it when asked.", show_default=False)
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Bring back what was there before the last apply.")] = False,
    minio: Minio = None,
    tofu: Tofu = None,
) -> None:
    """Make the machines of a lab what the reference configuration says: the guide's steps 1 to 5, done for you.

    Shows every change first, and makes none before the lab's name was typed. What was there is kept on each machine; --undo brings it
    back. Host names, host keys and who may log in stay as they are. A second apply finds nothing to do.

    For example:

      python -m provisioning apply labs/my-lab.toml

      python -m provisioning apply labs/my-lab.toml --undo --yes my-lab
    """
    driver = drivers.existing(path)
    if not driver.file.permissions.provision:
        raise UnsafeLab(f"{path} does not permit it: set provision = true in [permissions]")
    lab = driver.connect(driver.file.plan())
    try:
        driver.enter(lab)
        if undo:
            _undo(lab, yes)
        else:
            _apply(lab, yes, {"minio": minio, "tofu": tofu})
    finally:
        driver.remove(lab)


def _apply(lab: Lab, yes: str | None, given: dict[str, Path | None]) -> None:
    planned = [each for each in plan(lab, wanted_of_owned(owned_facts(lab))) if each.changes]
    if not planned:
        say(f"nothing to do: all {len(lab.machines)} machines of lab {lab.name} are as in the reference configuration")
        return
    _show(planned)
    programs = programs_for(planned, given)
    _confirm(lab, yes, f"{len(planned)} of {len(lab.machines)} machines change")
    carry_out(lab, planned, programs, note)
    say(f"applied to {', '.join(each.machine.name for each in planned)}; to bring back what was there: add --undo")


def _show(planned: list[Planned]) -> None:
    text = SECRETS.mask("\n".join(line for each in planned for line in each.changes.told()))
    if OUT.is_terminal:
        OUT.print(Syntax(text, "diff", background_color="default"))
    else:
        OUT.print(text, markup=False)


def _undo(lab: Lab, yes: str | None) -> None:
    _confirm(lab, yes, "what the last apply changed is changed back")
    told = [line for machine in lab.machines.values() for line in undo_on(machine)]
    for line in told or [f"nothing to undo: nothing was applied to lab {lab.name}"]:
        say(line)


def _confirm(lab: Lab, yes: str | None, what: str) -> None:
    """Go on only for somebody who names the lab.

    Raises:
        BadInput: Another lab was named.
    """
    if yes is None and not sys.stdin.isatty():
        note(f"nothing was changed; to go on: {PROGRAM} apply … --yes {lab.name}")
        raise typer.Exit(FAILED)
    named = yes if yes is not None else typer.prompt(f"{what}; type the lab's name to go on", default="", show_default=False)
    if named != lab.name:
        raise BadInput(f"this is lab {lab.name}, not {named!r}; nothing was changed")
