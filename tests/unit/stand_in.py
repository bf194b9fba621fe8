"""What every machine that exists only in a test has in common."""

from __future__ import annotations

from datetime import timedelta

from testinfra.host import Host

from model.lab import COMMAND_DEADLINE, Ability, CommandResult, Machine


class StandIn(Machine):
    """On, with a control channel and nothing else that can be done to it; a test says what its commands print."""

    abilities: frozenset[Ability] = frozenset({Ability.CONTROL})

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        raise NotImplementedError

    @property
    def host(self) -> Host:
        raise NotImplementedError

    def is_on(self) -> bool:
        return True

    def console(self, lines: int = 40) -> str:
        return ""
