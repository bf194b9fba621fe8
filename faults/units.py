"""A systemd unit as faults see it over the control channel: its main process, all of its processes, where it listens."""

from __future__ import annotations

import re

from faults.control import answer, command
from model.errors import Unreadable
from model.lab import Machine

NO_PROCESS = "0"
"""`MainPID` of a unit that does not run (org.freedesktop.systemd1(5))."""

STOPPED = "T"
"""State of a process that got SIGSTOP (ps(1))."""

ENDED = "Z"
"""State of a process that has ended, and whose parent has not asked for its exit status: a frozen parent never does."""

INIT = "1"

PROCESS = re.compile(r"\s*([0-9]+)\s+([A-Za-z]\S*)\s+(\S+)\s+([0-9]+)\s*", re.ASCII)
SHELL = re.compile(r"\s*([0-9]+)\s*", re.ASCII)
SOCKET = re.compile(r"LISTEN\s+[0-9]+\s+[0-9]+\s+(\S+):([0-9]{1,5})\s+\S+:\*\s*(.*)", re.ASCII)
"""A line of `ps`, the one of the shell that asks, and a line of `ss`: who serves where, and which processes that is."""

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

    Where control is SSH, our own session is a part of the unit of sshd; its listener, the unit's main process, is not left out. A session
    that survived its listener is a child of init, as the next listener is.

    Raises:
        ControlChannelLost: The machine did not say.
        Unreadable: It said something else, or not all.
    """
    look = f"ps -eo pid=,stat=,unit=,ppid=; systemctl show --property=MainPID --value {unit}; echo $$"
    *lines, main, asking = ["", "", *command(machine, look).stdout.rstrip().split("\n")]  # too little is unreadable, too
    rows = [_words(machine, PROCESS, line) for line in lines[2:]]
    parents = {pid: parent for pid, _, _, parent in rows}
    main, asking = _words(machine, SHELL, main)[0], _words(machine, SHELL, asking)[0]
    above, each = set[str](), asking
    while each in parents and each not in {INIT, main} | above:
        above.add(each)
        each = parents[each]
    ours = {pid for pid, parent in parents.items() if parent == asking} | above
    return {pid: state[0] for pid, state, of, _ in rows if of == unit and pid not in ours}


def listening_ports(machine: Machine, unit: str) -> tuple[int, ...]:
    """TCP ports at which a unit serves at the machine's own address; others may move to another machine.

    Raises:
        ControlChannelLost: The machine did not say.
        Unreadable: It said something else, or not all.
    """
    processes = process_states(machine, unit).keys()
    found = set()
    *lines, rest = command(machine, "ss -Hltnp").stdout.replace("\r\n", "\n").split("\n")
    for line in [*lines, *([rest] if rest else [])]:
        host, port, users = _words(machine, SOCKET, line)
        if line is rest:
            raise Unreadable(f"what ss said on {machine.name} was cut: {line!r}")
        if host in EVERYWHERE | {machine.address} and processes & set(re.findall(r"pid=([0-9]+)", users)):
            found.add(int(port))
    return tuple(sorted(found))


def _words(machine: Machine, form: re.Pattern[str], line: str) -> tuple[str, ...]:
    """The words of a line.

    Raises:
        Unreadable: It has another form.
    """
    found = form.fullmatch(line)
    if found is None:
        raise Unreadable(f"what ps or ss said on {machine.name} cannot be read: {line!r}")
    return tuple(found.groups())
