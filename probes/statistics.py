"""HAProxy's statistics, per balancer: what it believes about its servers.

Facts: HAProxy 2.6 management guide, section 9.1 (CSV format) and 9.3 (`set server`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from model.errors import Unreadable
from model.topology import Address
from probes.http import EXCERPT, LOOK_WITHIN, HttpLook, look

PAGE = "/stats"
CSV = "/stats;csv"
FRONTEND, BACKEND = "FRONTEND", "BACKEND"
LISTENER = "OPEN"
"""Status of what is no server: a frontend, or one of its sockets."""

TEXTS = ("# pxname", "svname", "status")
NUMBERS = {
    "weight": "weight",
    "sessions_total": "stot",
    "sessions_current": "scur",
    "chosen_total": "lbtot",
    "last_change_seconds": "lastchg",
    "downtime_seconds": "downtime",
}


@dataclass(frozen=True)
class ServerStatus:
    """One server of a pool, as one balancer sees it.

    Attributes:
        pool: The backend's name.
        name: The server's name.
        address: Where the balancer connects to; empty where the page does not say (it does to administrators only).
        raw_status: As written: `UP`, `UP 2/3`, `DOWN 1/2`, `DRAIN`, `MAINT`, `no check`.
        check_status: Last health check (`L4OK`, `L4TOUT`, `L7RSP`).
        weight: Its share.
        sessions_total: Sessions since the balancer started.
        sessions_current: Open ones.
        chosen_total: How often it was selected.
        last_change_seconds: Since its status last changed.
        downtime_seconds: Sum since the balancer started.
    """

    pool: str
    name: str
    address: str = ""
    raw_status: str = ""
    check_status: str = ""
    weight: int = 0
    sessions_total: int = 0
    sessions_current: int = 0
    chosen_total: int = 0
    last_change_seconds: int = 0
    downtime_seconds: int = 0

    @property
    def status(self) -> str:
        """The status without its counter: `UP`, `DOWN`, `DRAIN`, `NOLB`, `MAINT` or `no check`."""
        return "no check" if self.raw_status == "no check" else self.raw_status.partition(" ")[0]

    @property
    def in_rotation(self) -> bool:
        """Whether new connections may go there: `UP` (also while going down, `UP 2/3`) or `no check`."""
        return self.status in {"UP", "no check"} and self.weight > 0

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> ServerStatus:
        """Read a row of the CSV.

        Raises:
            Unreadable: A number is none.
        """
        pool, name, status = (row[column] for column in TEXTS)
        numbers = {field: _number(row, column) for field, column in NUMBERS.items()}
        return cls(pool, name, row.get("addr", ""), status, row.get("check_status", "").removeprefix("* "), **numbers)

    def __str__(self) -> str:
        """Pool, name and status."""
        return f"{self.pool}/{self.name} {self.raw_status} ({self.check_status or 'no check yet'})"


@dataclass(frozen=True)
class Statistics:
    """What one balancer said.

    Attributes:
        look: How the page was had.
        servers: All servers of all pools; empty when the page was not to be had.
        unreadable: Why the table that came is not believed; empty where it is.
    """

    look: HttpLook
    servers: tuple[ServerStatus, ...] = ()
    unreadable: str = ""

    @property
    def available(self) -> bool:
        """Whether the page answered with statistics."""
        return self.look.ok and bool(self.servers)

    def named(self, name: str) -> tuple[ServerStatus, ...]:
        """A server in every pool that has it."""
        return tuple(server for server in self.servers if server.name == name)

    def in_pool(self, pool: str) -> dict[str, ServerStatus]:
        """The servers of a pool, by name."""
        return {server.name: server for server in self.servers if server.pool == pool}

    def pool_of(self, name: str) -> str | None:
        """The first pool that has a server of this name."""
        return next((server.pool for server in self.servers if server.name == name), None)

    def in_rotation(self, name: str) -> bool:
        """Whether a server is in rotation in any pool; a server that no pool has is not."""
        return any(server.in_rotation for server in self.named(name))

    def __str__(self) -> str:
        """The servers in one line, or why there are none."""
        return ", ".join(map(str, self.servers)) if self.available else self.unreadable or str(self.look)


def read_statistics(address: Address, within: timedelta = LOOK_WITHIN) -> Statistics:
    """Read the statistics of one balancer.

    Args:
        address: Of the statistics page at the balancer's own address (a virtual one would answer for either).
        within: For connecting and for the answer.

    Raises:
        AbilityMissing: The page is reached through another host only.
    """
    seen = look(f"http://{address.require_direct()}{CSV}", within=within)
    try:
        return Statistics(seen, parse_statistics(seen.body) if seen.ok else ())
    except Unreadable as error:
        return Statistics(seen, unreadable=f"{seen.url}: {error}")


def read_page(address: Address, within: timedelta = LOOK_WITHIN) -> HttpLook:
    """The page that a person opens; the guide's test 2.

    Raises:
        AbilityMissing: As above.
    """
    return look(f"http://{address.require_direct()}{PAGE}", within=within)


def parse_statistics(text: str) -> tuple[ServerStatus, ...]:
    """Read the CSV; empty when it is something else.

    HAProxy ends every row with a comma and the rows of every pool with one that sums it up, so that what was cut is noticed.

    Raises:
        Unreadable: It is damaged.
    """
    if not text.startswith(f"{TEXTS[0]},"):
        return ()
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns, *rows = [row for row in table if row]
    except csv.Error as error:
        raise Unreadable(f"HAProxy's statistics, line {table.line_num}: {error}") from error
    if missing := [column for column in (*TEXTS, *NUMBERS.values()) if columns.count(column) != 1]:
        raise Unreadable(f"HAProxy's statistics do not have one column {missing[0]}")
    seen: dict[tuple[str, str], ServerStatus] = {}
    pools = set()
    for cells in rows:
        if len(cells) != len(columns) or cells == columns:
            raise Unreadable(f"HAProxy's statistics: a row is cut, or mixed with something else: {','.join(cells)[:EXCERPT]!r}")
        server = ServerStatus.from_row(dict(zip(columns, cells, strict=True)))
        if server.name == BACKEND:
            pools.add(server.pool)
        elif server.name != FRONTEND and server.raw_status != LISTENER:
            if (server.pool, server.name) in seen:
                raise Unreadable(f"HAProxy's statistics have {server.pool}/{server.name} twice")
            seen[server.pool, server.name] = server
    if cut := {pool for pool, _ in seen} - pools:
        raise Unreadable(f"HAProxy's statistics were cut: no row sums up {', '.join(sorted(cut))}")
    return tuple(seen.values())


def _number(row: Mapping[str, str], column: str) -> int:
    """A cell that is empty where there is nothing to count."""
    value = row[column] or "0"
    if not re.fullmatch(r"-?[0-9]{1,20}", value):
        raise Unreadable(f"HAProxy's statistics: {column} of {row['# pxname']}/{row['svname']} is {value[:EXCERPT]!r}")
    return int(value)
