"""Who works in a lab, as a lease says it."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from model.errors import Unreadable
from probes.json_objects import read_object, value_of
from probes.snapshots import Entity

GOOD_FOR = timedelta(seconds=120)
"""How long a lease is good for that is not renewed."""

LONGEST = timedelta(days=30)
LEASE = "lease"


@dataclass(frozen=True)
class Holder:
    """Who works in a lab.

    Attributes:
        run: Id of the run.
        who: User and host.
        pid: Its process there.
        since: When it began (ISO 8601, UTC).
        seconds: How long a lease is good for that is not renewed.
        renewed: How often it was.
    """

    run: str
    who: str
    pid: int
    since: str
    seconds: float = GOOD_FOR.total_seconds()
    renewed: int = 0

    @classmethod
    def me(cls, run: str) -> Holder:
        """This process."""
        return cls(run, f"{getpass.getuser()}@{socket.gethostname()}", os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def from_json(cls, content: bytes) -> Holder:
        """Read a lease.

        Raises:
            Unreadable: It is none.
        """
        data = read_object(content, LEASE)
        seconds = value_of(data, "seconds", float, LEASE)
        if not 0 <= seconds <= LONGEST.total_seconds():
            raise Unreadable(f"no {LEASE}: good for {seconds:g} s")
        run, who, since = (value_of(data, name, str, LEASE) for name in ("run", "who", "since"))
        return cls(run, who, value_of(data, "pid", int, LEASE), since, seconds, value_of(data, "renewed", int, LEASE))

    def as_json(self) -> bytes:
        """As it is stored."""
        return json.dumps(asdict(self)).encode()

    def __str__(self) -> str:
        """For people."""
        return f"run {self.run} of {self.who} (process {self.pid}), since {self.since}"


@dataclass(frozen=True)
class Held:
    """A lease that is there: whose, and as what it is stored."""

    holder: Holder
    entity: Entity

    @property
    def left(self) -> timedelta:
        """How long it is good for; negative once it has expired."""
        return timedelta(seconds=self.holder.seconds) - self.entity.age
