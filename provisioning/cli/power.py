"""What a hypervisor does to a machine, or a hand at its cable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from model.errors import BadInput
from provisioning.cli.arguments import LabName, MachineName
from provisioning.cli.labs import choose, machine_of, state_of
from provisioning.cli.telling import say

ON, OFF = 0, 1
"""Exit status of `power MACHINE state`."""


class Action(StrEnum):
    """What `power` does."""

    ON = "on"
    OFF = "off"
    SHUTDOWN = "shutdown"
    REBOOT = "reboot"
    SUSPEND = "suspend"
    RESUME = "resume"
    DISCONNECT = "disconnect"
    RECONNECT = "reconnect"
    REBUILD = "rebuild"
    STATE = "state"


@dataclass(frozen=True)
class Deed:
    """An action: the ability that does it, the states it can be done in, the one in which nothing is left to do, its effect."""

    method: str
    possible: tuple[str, ...]
    effect: str
    done: str = ""


DEEDS = {
    Action.ON: Deed("power_on", ("off",), "booted", "on"),
    Action.OFF: Deed("cut_power", ("on", "suspended"), "its plug is pulled: peers see silence", "off"),
    Action.SHUTDOWN: Deed("shut_down", ("on",), "shut down in good order, and off", "off"),
    Action.REBOOT: Deed("reboot", ("on",), "rebooted"),
    Action.SUSPEND: Deed("suspend", ("on",), "stands still: peers see silence, connections stay open", "suspended"),
    Action.RESUME: Deed("resume", ("suspended",), "goes on where it was", "on"),
    Action.DISCONNECT: Deed("disconnect", ("on",), "its network cable is out: peers see silence, it works on"),
    Action.RECONNECT: Deed("reconnect", ("on",), "its network cable is in"),
    Action.REBUILD: Deed("rebuild", ("on", "off", "suspended"), "new disk, new host key signed by the lab's CA, booted"),
}


def power(
    machine: MachineName,
    action: Annotated[
        Action, typer.Argument(help="What to do; `off` pulls the plug, `shutdown` is polite; `state` only tells (exit 1: it is off).")
    ],
    lab: LabName = None,
) -> None:
    """Do to a machine what a hypervisor or a hand at the cable can do.

    For example:

      python -m provisioning power runner01 off

      python -m provisioning power storage02 disconnect --lab mylab
    """
    there = machine_of(choose(lab), machine)
    if action is Action.STATE:
        state = state_of(there)
        if state == "off":
            there.fall_silent()
        say(state)
        raise typer.Exit(OFF if state == "off" else ON)
    deed, state = DEEDS[action], state_of(there)
    if state == deed.done:
        say(f"{machine} is {state} already")
        return
    if state not in deed.possible:
        raise BadInput(f"{machine} is {state}; `{action}` is for a machine that is {' or '.join(deed.possible)}")
    getattr(there, deed.method)()
    say(f"{machine}: {deed.effect}")
