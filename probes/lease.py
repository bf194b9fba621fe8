"""A lease keeps two runs in one lab apart: an object below our prefix that only one of them can make (`If-None-Match: *`).

It says who holds it and how long it is good for; its age is told by the store, so that clocks of two hosts need not agree. The
holder renews it, and removes it in the end. A lease that was not renewed in time is taken over (`If-Match`: by one).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from model.errors import LabInUse, Unreadable
from model.waiting import REAL_CLOCK, Clock
from probes.answers import Answer, StoreError
from probes.lease_holder import Held, Holder
from probes.snapshots import Entity
from probes.store import StoreProbe

NAME = "lease.json"
ATTEMPTS = 5
OVERWRITTEN = frozenset({"", "null"})
"""Version ids where writing over leaves no older version: no versioning, or suspended."""

SETTLES = timedelta(seconds=2)
"""Where nothing keeps two writers apart, the other one is given this long before it is looked who was last."""

LIVES_WITHIN = timedelta(seconds=10)
"""A holder whom a fault of its own kept from the store renews within this time once the store is back: an attempt every 2 s, 5 s each."""

CANNOT_LOCK = (
    "the state store lets a second conditional write pass (H01), so that nothing keeps two runs apart that begin at the same moment"
)


class Lease:
    """The lease of one lab.

    Attributes:
        holder: Who we are.
        weak: Why it keeps nobody out; empty where it does.
        missing: Why there is none; empty while we hold one.
        lost: Who has it instead of us, or what became of it; empty while nothing did.
        succeeded: Whose expired lease it was that we took over; None where there was none.
    """

    def __init__(self, store: StoreProbe, holder: Holder, clock: Clock = REAL_CLOCK) -> None:
        """Prepare; nothing is asked yet."""
        self.store, self.holder, self._clock = store, holder, clock
        self.key = store.store.key(NAME)
        self.weak = self.lost = ""
        self.missing = "it was not asked for"
        self._written = False
        self.succeeded: Holder | None = None
        self._renewed = clock.now()

    @property
    def unrenewed(self) -> timedelta:
        """How long ago it was last known to be ours."""
        return timedelta(seconds=self._clock.now() - self._renewed)

    def look(self) -> Answer[Held]:
        """Whose lease is there; `value` and `error` are None where there is none."""
        found = self.store.entity(self.key)
        if found.value is None:
            return Answer() if found.missing else Answer(error=found.error)
        try:
            return Answer(Held(Holder.from_json(found.value.content), found.value))
        except Unreadable as error:
            return Answer(error=StoreError("Unreadable", None, f"{self.key} is no lease of ours: {error}"))

    def take(self) -> None:
        """Take it, or say why there is none: `missing` and `weak` tell.

        Raises:
            LabInUse: Somebody else has it.
        """
        for _ in range(ATTEMPTS):
            there = self.look()
            if there.error is not None:
                self.missing = f"the state store does not tell whose it is: {there.error.code} {there.error.message}".strip()
                return
            if there.value is not None and there.value.holder.run != self.holder.run and there.value.left > timedelta():
                raise self._in_use(there.value)
            if there.value is not None and there.value.holder.run != self.holder.run and (alive := self._sign_of_life(there.value)):
                raise self._in_use(alive)
            written = self._write(there.value)
            if written.error is None:
                self._written = True
                self._confirm(there.value)
                return
            if written.error.status != HTTPStatus.PRECONDITION_FAILED and not written.missing:
                self.missing = f"the state store does not take it: {written.error.code} {written.error.message}".strip()
                return
        if self.look().value is None:
            self.missing = f"the state store refuses {ATTEMPTS} times in a row to make {self.key}, and has no such object (H01)"
            return
        msg = f"another run was quicker {ATTEMPTS} times in a row in taking the lease {self.key}; try again"
        raise LabInUse(msg)

    def _sign_of_life(self, expired: Held) -> Held | None:
        """What a holder wrote who had only been kept from the store; None where it keeps silent."""
        self._clock.pause(LIVES_WITHIN.total_seconds())
        there = self.look().value
        return there if there is not None and there.entity.etag != expired.entity.etag and there.left > timedelta() else None

    def _write(self, over: Held | None) -> Answer[str]:
        """Make the lease, or write over one that has expired."""
        content = self.holder.as_json()
        if over is not None:
            return self._over(over, content)
        return self._or_else(self.store.conditional_put(self.key, content), content)

    def _over(self, held: Held, content: bytes) -> Answer[str]:
        """Write over a lease, on condition that it is the one that was read."""
        return self._or_else(self.store.write_over(self.key, content, held.entity.etag), content)

    def _or_else(self, done: Answer[str], content: bytes) -> Answer[str]:
        """Write without a condition where a store knows none."""
        if not done.not_implemented:
            return done
        self.weak = CANNOT_LOCK
        return self.store.put(self.key, content)

    def _confirm(self, before: Held | None) -> None:
        """See that the store keeps others out, and that what is there is ours.

        Raises:
            LabInUse: Another run was as quick, and the store let both pass; the last one has it.
        """
        if self.weak or self.store.conditional_put(self.key, self.holder.as_json()).ok:
            self.weak = CANNOT_LOCK
            self._clock.pause(SETTLES.total_seconds())
        there = self.look()
        if there.value is None:
            self.missing = f"it was written, but is not there: {there.error or 'no such object'}"
            return
        if there.value.holder.run != self.holder.run:
            raise self._in_use(there.value)
        self.missing, self.succeeded = "", before.holder if before is not None and before.holder.run != self.holder.run else None
        self._renewed = self._clock.now()
        self._keep_only(there.value.entity)

    def _in_use(self, held: Held) -> LabInUse:
        until = datetime.now(UTC) + held.left
        return LabInUse(
            f"the lab is in use: {held.holder}; its lease is good until {until:%Y-%m-%d %H:%M:%S} UTC, and longer while that run lives. "
            f"Wait until it has ended, or end it (Ctrl-C heals); if it has died, its lease ends by itself within {held.holder.seconds:g} s"
        )

    def renew(self) -> bool:
        """Renew it.

        Returns:
            Whether it is ours, as far as anybody knows; False while the store does not answer, and once it is lost.
        """
        if self.lost or self.missing:
            return False
        there = self.look()
        if there.error is not None:
            return False
        if there.value is None:
            self.lost = f"somebody removed {self.key}"
            return False
        if there.value.holder.run != self.holder.run:
            self.lost = f"it is held by {there.value.holder}"
            return False
        fresh = replace(self.holder, renewed=there.value.holder.renewed + 1)
        done = self._over(there.value, fresh.as_json())
        if not done.ok:
            return False  # the next look says who has it
        self._renewed = self._clock.now()
        if there.value.entity.version_id not in OVERWRITTEN:
            self.store.remove(self.key, there.value.entity.version_id)
        return True

    def _keep_only(self, mine: Entity) -> None:
        """Remove what is older: every renewal is a version where the bucket keeps versions."""
        for each in self._versions() if mine.version_id else ():
            if each != mine.version_id:
                self.store.remove(self.key, each)

    def _versions(self) -> list[str]:
        """Ids of all versions, oldest first; empty where they cannot be listed."""
        found = self.store.versions(self.key)
        return [each.version_id for each in reversed(found.value or ()) if each.key == self.key]

    def give_up(self) -> str:
        """Remove it, unless it is somebody else's.

        Returns:
            Why it is still there; empty when it is not.
        """
        if self.missing and not self._written:
            return ""
        there = self.look()
        if there.error is not None:
            return f"the lease {self.key} could not be removed, it ends by itself: {there.error.code} {there.error.message}".strip()
        if there.value is None or there.value.holder.run != self.holder.run:
            return ""
        self.missing, self._written = "it was given up", False
        for each in self._versions() or [there.value.entity.version_id]:  # the newest last: no older one may show
            done = self.store.remove(self.key, each or None)
            if not done.ok and not done.missing:
                return f"the lease {self.key} could not be removed, it ends by itself: {done.error}"
        return ""


def drop_lease(store: StoreProbe, run: str) -> str:
    """Remove the lease of a run that died; somebody else's stays.

    Returns:
        Why it is still there; empty when it is not.
    """
    lease = Lease(store, Holder.me(run))
    lease.missing = ""
    return lease.give_up()
