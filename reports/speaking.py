"""How this command line speaks: answers to standard output, foreseen errors in one line to standard error."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from model.errors import AcceptanceError, BadInput
from model.secrets import SECRETS

BAD_INPUT = 2
FAILED = 1

OUT = Console(soft_wrap=True, highlight=False)
ERR = Console(stderr=True, soft_wrap=True, highlight=False)


def say(line: str) -> None:
    """Answer with one line."""
    OUT.print(SECRETS.mask(line), markup=False)


class PlainErrors(TyperGroup):
    """Commands whose foreseen errors are told in plain words: exit 2 for bad input, 1 for all others."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (AcceptanceError, OSError) as error:
            ERR.print(f"[bold red]error:[/] {escape(SECRETS.mask(str(error)))}")
            raise typer.Exit(BAD_INPUT if isinstance(error, BadInput) else FAILED) from error
