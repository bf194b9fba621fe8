"""Commands of faults over a machine's control channel: they succeed, or it is said which one did not."""

from __future__ import annotations

from datetime import timedelta

from model.errors import AbilityMissing, ControlChannelLost
from model.lab import CommandResult, Machine

COMMAND_WITHIN = timedelta(seconds=60)


def command(machine: Machine, line: str, *, stdin: str | None = None) -> CommandResult:
    """Run a command that must succeed.

    Args:
        machine: Where.
        line: Shell text.
        stdin: What it reads.

    Raises:
        ControlChannelLost: It did not.
    """
    done = machine.run(line, timeout=COMMAND_WITHIN, stdin=None if stdin is None else stdin.encode())
    if not done.ok:
        msg = f"`{line}` on {machine.name} failed with {done.exit_status}: {done.text}"
        raise ControlChannelLost(msg)
    return done


def answer(machine: Machine, line: str) -> str:
    """What a command prints that must succeed and say something.

    Raises:
        ControlChannelLost: It failed, or said nothing.
    """
    text = command(machine, line).stdout.strip()
    if not text:
        msg = f"`{line}` on {machine.name} said nothing"
        raise ControlChannelLost(msg)
    return text


def require_program(machine: Machine, program: str) -> None:
    """Raise `AbilityMissing` unless a machine has a program that a fault needs there."""
    if not machine.run(f"command -v {program}").ok:
        msg = f"{machine.name} has no `{program}`, which this fault needs there"
        raise AbilityMissing(msg)
