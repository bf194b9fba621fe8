"""Renews a lease while the run lives: in a thread of its own, again and again where the store is away, as faults of ours make it."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from probes.lease import Lease
from probes.lease_holder import GOOD_FOR

EVERY = timedelta(seconds=20)
AGAIN = timedelta(seconds=2)
ENDS_WITHIN = timedelta(seconds=30)
"""Longer than the requests of one renewal may take."""

log = logging.getLogger(__name__)


class LeaseKeeper:
    """Keeps a lease.

    Attributes:
        lease: The one.
    """

    def __init__(self, lease: Lease, every: timedelta = EVERY, again: timedelta = AGAIN) -> None:
        """Prepare.

        Args:
            lease: One that was taken.
            every: How often it is renewed.
            again: How soon it is tried again after a renewal that did not work.
        """
        self.lease, self._every, self._again = lease, every, again
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()

    def start(self) -> None:
        """Begin to renew, in the network of whoever calls."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
            self._thread.start()

    def _keep(self) -> None:
        pause, away = self._every, False
        while not self._ended.wait(pause.total_seconds()):
            good = self._renew()
            if self.lease.lost:
                log.warning("the lease of the lab is lost: %s", self.lease.lost)
                return
            if good is away:
                log.info(
                    "the lease of the lab is renewed again" if good else "the lease of the lab cannot be renewed now: the store is away"
                )
                away = not good
            pause = self._every if good else self._again

    def _renew(self) -> bool:
        with self._turn:
            return self.lease.renew()

    def why_lost(self, *, disturbed: bool) -> str:
        """Why the lab is not ours any more; empty while it is.

        Args:
            disturbed: Whether a fault of ours may keep the store away: then not to hear from it says nothing.

        Returns:
            What became of the lease.
        """
        if self.lease.lost or self.lease.missing or disturbed or self.lease.unrenewed <= GOOD_FOR:
            return self.lease.lost
        if self._renew():
            return ""
        return self.lease.lost or (
            f"it could not be renewed for {self.lease.unrenewed.total_seconds():.0f} s, "
            f"as the state store does not answer, and no fault of ours is the reason"
        )

    def end(self) -> str:
        """Renew it no more, and give it up.

        Returns:
            Why it is still there; empty when it is not.
        """
        self._ended.set()
        if self._thread is not None:
            self._thread.join(ENDS_WITHIN.total_seconds())
        with self._turn:
            return self.lease.give_up()
