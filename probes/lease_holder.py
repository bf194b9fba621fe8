"""Who works in a lab, as a lease says it."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from probes.snapshots import Entity

GOOD_FOR = timedelta(seconds=120)
"""How long a lease is good for that is not renewed."""


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
            ValueError: It is none.
        """
        data: Any = json.loads(content)
        if not isinstance(data, dict) or not cls.__dataclass_fields__.keys() <= data.keys():
            msg = f"no lease: {content[:200]!r}"
            raise ValueError(msg)
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})

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
