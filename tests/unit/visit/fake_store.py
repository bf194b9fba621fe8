"""A state store in memory: conditions are kept, or dropped as by a front that means well; it can be away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from model.lab import Store
from model.topology import Address
from probes.answers import NO_SUCH_KEY, Answer, StoreError
from probes.snapshots import Entity, ObjectVersion

REFUSED = StoreError("PreconditionFailed", 412, "at least one of the pre-conditions did not hold")
AWAY = StoreError("refused")


@dataclass
class Written:
    """One version."""

    content: bytes
    etag: str
    at: float


@dataclass
class FakeStore:
    """What of `StoreProbe` a lease uses.

    Attributes:
        locks: Whether it keeps `If-None-Match`.
        matches: Whether it knows `If-Match`.
        knows: Whether it knows `If-None-Match`; where not, it says so.
        stuck: Whether it refuses conditional writes although there is nothing.
        away: Whether nobody answers.
        now: Its clock, in seconds.
    """

    locks: bool = True
    matches: bool = True
    knows: bool = True
    stuck: bool = False
    away: bool = False
    now: float = 0.0
    versions_of: dict[str, list[Written]] = field(default_factory=dict)
    count: int = 0
    store: Store = field(default_factory=lambda: Store(Address("127.0.0.1", 9), "states", "someone", "some-secret"))
    before_put: Any = None

    def _write(self, key: str, content: bytes) -> Answer[str]:
        self.count += 1
        self.versions_of.setdefault(key, []).append(Written(content, f'"{self.count}"', self.now))
        return Answer(f'"{self.count}"')

    def _now(self, key: str) -> Written | None:
        return self.versions_of.get(key, [None])[-1]

    def put(self, key: str, content: bytes) -> Answer[str]:
        return Answer(error=AWAY) if self.away else self._write(key, content)

    def conditional_put(self, key: str, content: bytes) -> Answer[str]:
        if self.before_put is not None:
            act, self.before_put = self.before_put, None
            act()
        if self.away:
            return Answer(error=AWAY)
        if not self.knows:
            return Answer(error=StoreError("NotImplemented", 501))
        return Answer(error=REFUSED) if self.stuck or (self.locks and self._now(key)) else self._write(key, content)

    def write_over(self, key: str, content: bytes, etag: str) -> Answer[str]:
        if self.away:
            return Answer(error=AWAY)
        if not self.matches:
            return Answer(error=StoreError("NotImplemented", 501))
        there = self._now(key)
        if there is None:
            return Answer(error=StoreError(NO_SUCH_KEY, 404))
        return self._write(key, content) if there.etag == etag else Answer(error=REFUSED)

    def entity(self, key: str) -> Answer[Entity]:
        if self.away:
            return Answer(error=AWAY)
        there = self._now(key)
        if there is None:
            return Answer(error=StoreError(NO_SUCH_KEY, 404))
        return Answer(Entity(there.content, there.etag, there.etag, timedelta(seconds=self.now - there.at)))

    def versions(self, prefix: str) -> Answer[tuple[ObjectVersion, ...]]:
        if self.away:
            return Answer(error=AWAY)
        found = [(key, each) for key, several in self.versions_of.items() if key.startswith(prefix) for each in reversed(several)]
        return Answer(tuple(ObjectVersion(key, each.etag) for key, each in found))

    def remove(self, key: str, version_id: str | None = None) -> Answer[bool]:
        if self.away:
            return Answer(error=AWAY)
        left = [each for each in self.versions_of.get(key, []) if each.etag != version_id]
        self.versions_of[key] = left
        if not left:
            del self.versions_of[key]
        return Answer(value=True)
