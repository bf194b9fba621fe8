"""A systemd unit as faults see it over the control channel: its main process, all of its processes, where it listens."""

from __future__ import annotations

import re

from faults.control import answer, command
from model.lab import Machine

NO_PROCESS = "0"
"""`MainPID` of a unit that does not run (org.freedesktop.systemd1(5))."""

STOPPED = "T"
"""State of a process that got SIGSTOP (ps(1))."""

ENDED = "Z"
"""State of a process that has ended, and whose parent has not asked for its exit status: a frozen parent never does."""

INIT = "1"
ALONE = 1

OURS = 'ours=" "; each=$$; while [ "${each:-0}" -gt 1 ]; do ours="$ours$each "; each=$(ps -o ppid= -p "$each" | tr -d " "); done'
"""Shell text that lists, in `ours`, the processes through which it runs: where control is SSH, those of its own session."""

SSHD = "pgrep -x 'sshd(-session)?'"
"""Processes of sshd, whatever unit a login manager has moved them to (OpenSSH 9.8 calls those of sessions `sshd-session`)."""

EVERYWHERE = frozenset({"*", "0.0.0.0", "[::]"})  # noqa: S104 - what is read, not where we listen


def main_pid(machine: Machine, unit: str) -> str:
    """Process id of a unit's main process; `0` when it has none.

    Raises:
        ControlChannelLost: The machine did not say.
    """
    return answer(machine, f"systemctl show --property=MainPID --value {unit}")


def process_states(machine: Machine, unit: str) -> dict[str, str]:
    """Every process of a unit with its state (`S`, `R`, `T` …), without those through which we ask.

    Where control is SSH, our own session is a part of the unit of sshd, or a child of it; its listener is not left out.

    Raises:
        ControlChannelLost: The machine did not say.
    """
    rows = [line.split() for line in command(machine, "ps -eo pid=,stat=,unit=,ppid=; echo $$").stdout.splitlines()]
    parents = {row[0]: row[3] for row in rows if len(row) > ALONE + 2}
    asking = rows[-1][0] if rows and len(rows[-1]) == ALONE else ""
    ours, each = {pid for pid, parent in parents.items() if parent == asking}, asking
    while parents.get(each, INIT) != INIT:
        ours.add(each)
        each = parents[each]
    return {row[0]: row[1][0] for row in rows if row[2:3] == [unit] and row[0] not in ours}


def listening_ports(machine: Machine, unit: str) -> tuple[int, ...]:
    """TCP ports at which a unit serves at the machine's own address; others may move to another machine.

    Raises:
        ControlChannelLost: The machine did not say.
    """
    processes = process_states(machine, unit).keys()
    found = set()
    for line in command(machine, "ss -Hltnp").stdout.splitlines():
        host, _, port = line.split()[3].rpartition(":")
        if host in EVERYWHERE | {machine.address} and processes & set(re.findall(r"pid=(\d+)", line)):
            found.add(int(port))
    return tuple(sorted(found))
