"""All commands, by name. A command is imported when it is asked for: what `power` needs takes a quarter of what all of them need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import typer

from provisioning.cli.telling import PlainErrors

LABS, MACHINES, HOST, OWN = "Labs", "Machines of a lab", "This host", "A lab that you own"
PASSING_ON = {"ignore_unknown_options": True}


@dataclass(frozen=True)
class Command:
    """Where a command is.

    Attributes:
        module: Of `provisioning.cli`.
        function: In it.
        panel: Under which heading help lists it.
        settings: Of its context.
    """

    module: str
    function: str
    panel: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def load(self, name: str) -> Any:
        """Import it."""
        function = getattr(import_module(f"provisioning.cli.{self.module}"), self.function)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        alone.command(name, rich_help_panel=self.panel, context_settings=dict(self.settings))(function)
        return typer.main.get_command(alone)


COMMANDS = {
    "up": Command("lifetime", "up", LABS),
    "down": Command("lifetime", "down", LABS),
    "list": Command("lifetime", "list_labs", LABS),
    "sweep": Command("lifetime", "sweep", LABS),
    "ssh": Command("machines", "ssh", MACHINES, PASSING_ON),
    "exec": Command("machines", "execute", MACHINES, PASSING_ON),
    "logs": Command("machines", "logs", MACHINES),
    "console": Command("machines", "console", MACHINES),
    "power": Command("power", "power", MACHINES),
    "check": Command("checking", "check", OWN),
    "apply": Command("applying", "apply", OWN),
    "heal": Command("healing", "heal", OWN),
    "doctor": Command("host", "doctor", HOST),
    "setup": Command("host", "setup", HOST),
    "reference": Command("configuration", "configuration", LABS),
}


class Loaded(Mapping[str, Any]):
    """`COMMANDS`, imported when they are taken out."""

    def __getitem__(self, name: str) -> Any:
        """One of them."""
        return COMMANDS[name].load(name)

    def __iter__(self) -> Iterator[str]:
        """Their names, in the order of help."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """How many they are."""
        return len(COMMANDS)


class Commands(PlainErrors):
    """The commands of `COMMANDS`."""

    def __init__(self, **settings: Any) -> None:
        """As typer wants it."""
        super().__init__(**settings)
        self.commands = Loaded()  # type: ignore[assignment]
