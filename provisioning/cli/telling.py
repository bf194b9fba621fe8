"""How the command line speaks: answers to standard output, everything else to standard error, one line per error."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from model.errors import AcceptanceError, BadInput
from model.secrets import SECRETS

PROGRAM = "python -m provisioning"
BAD_INPUT = 2
FAILED = 1
STOPPED = 130
"""As a shell reports a program that Ctrl-C ended."""

OUT = Console(soft_wrap=True, highlight=False)
ERR = Console(stderr=True, soft_wrap=True, highlight=False)


def say(line: str) -> None:
    """Answer with one line."""
    OUT.print(SECRETS.mask(line), markup=False)


def note(line: str) -> None:
    """Say something beside the answer."""
    ERR.print(SECRETS.mask(line), markup=False)


def complain(message: str) -> None:
    """Say what went wrong."""
    ERR.print(f"[bold red]error:[/] {escape(SECRETS.mask(message))}")


class PlainErrors(TyperGroup):
    """Commands whose foreseen errors are told in plain words: exit 2 for bad input, 1 for all others, 130 for Ctrl-C."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except BadInput as error:
            complain(str(error))
            raise typer.Exit(BAD_INPUT) from error
        except AcceptanceError as error:
            complain(str(error))
            raise typer.Exit(FAILED) from error
        except KeyboardInterrupt as error:
            complain("stopped")
            raise typer.Exit(STOPPED) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            complain(str(error))
            raise typer.Exit(FAILED) from error


@contextlib.contextmanager
def one_interruption() -> Iterator[None]:
    """Ctrl-C or SIGTERM interrupts the body once; what is done to tidy up and end after that is not interrupted again."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def interrupt(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        note("stopping; removing what was made …")
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is interrupt:
                signal.signal(number, handler)
