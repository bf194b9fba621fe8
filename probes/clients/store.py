"""A client that writes to the store and reads from it at a fixed rate, and finds reads that are older than they may be."""

from __future__ import annotations

import threading
from datetime import timedelta

from model.history import Begun, Operation, Operations, Outcome
from model.lab import Lab
from probes.clients.paced import LONGEST, MOST, PacedClient
from probes.store import StoreProbe
from probes.workspace import fresh_value

EVERY = timedelta(milliseconds=250)
AT_ONCE = 80
ANSWER_WITHIN = timedelta(seconds=20)
"""OpenTofu waits longer; a store that lost a node may keep a request waiting for some seconds, which is no failure."""


class StoreClient(PacedClient):
    """Sends signed requests to one object at a fixed rate, each over a connection of its own.

    Operations `write` and `read` take turns; a write carries the label `value` that it wrote, a read the one it found.
    There is one writer: while a write is under way, the turn is a read.

    Attributes:
        key: The object; in the folder of a scenario, and nobody else's.
    """

    def __init__(  # noqa: PLR0913 - each argument is one sentence of the contract
        self,
        lab: Lab,
        key: str,
        every: timedelta = EVERY,
        *,
        within: timedelta = ANSWER_WITHIN,
        most: int = MOST,
        longest: timedelta = LONGEST,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            lab: Whose store, at its endpoint.
            key: The object.
            every: Time between two beginnings.
            within: For connecting and for each wait on an answer.
            most: After so many requests the client ends by itself.
            longest: After so long the client ends by itself.
        """
        super().__init__("requests to the store", every, at_once=AT_ONCE, most=most, longest=longest)
        self.lab, self.key, self._within = lab, key, within
        self._writing = threading.Lock()
        self._prefix = fresh_value()

    def begin(self, number: int, **labels: str) -> Begun:
        """Record the beginning of a write where it is the writer's turn, else of a read."""
        if number % 2 == 0 and self._writing.acquire(blocking=False):
            return self.history.begin("write", value=f"{self._prefix}-{number}", **labels)
        return self.history.begin("read", **labels)

    def work(self, begun: Begun, number: int) -> None:  # noqa: ARG002 - the operation knows what it is
        """Send one request."""
        store = StoreProbe(self.lab.store, within=self._within)
        try:
            if begun.operation.name == "write":
                try:
                    written = store.put(self.key, begun.operation.labels["value"].encode())
                finally:
                    self._writing.release()
                begun.end(Outcome.OK if written.ok else Outcome.FAILED, detail=str(written.error or ""))
                return
            found = store.get(self.key)
            if found.ok or found.missing:
                begun.end(Outcome.OK, labels={"value": (found.value or b"").decode(errors="replace")})
            else:
                begun.end(Outcome.FAILED, detail=str(found.error))
        finally:
            store.close()

    def stale_reads(self) -> Operations:
        """Reads that gave a value although a later write had been acknowledged before they began."""
        return stale_reads(self.operations)


def stale_reads(operations: Operations) -> Operations:
    """Find reads that are older than they may be.

    A write that was not acknowledged may take effect at any time after it began, so it excuses who reads it.

    Args:
        operations: Of one object and one writer: `write` and `read`, with the label `value` (empty: there was no object).
    """
    writes = operations.named("write")
    by_value = {each.labels["value"]: each for each in writes}

    def is_stale(read: Operation) -> bool:
        found = by_value.get(read.labels.get("value", ""))
        if found is not None and not found.ok:
            return False
        return any(write.precedes(read) and (found is None or found.precedes(write)) for write in writes.ok)

    return operations.named("read").ok.where(is_stale)
