"""Measures at calm moments: waits until the host's cores have little else to do, and says when they never had."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from model.waiting import wait_until

STAT = Path("/proc/stat")
IDLE_FIELDS = (3, 4)
"""`idle` and `iowait` of the first line (proc(5))."""

CALM_AT_MOST = 0.15
"""Part of all cores' time that may be used by others when a run begins."""

LOOK_EVERY = timedelta(seconds=1)
log = logging.getLogger(__name__)


class NeverCalm(Exception):
    """The host had other work all the time."""


@dataclass
class Calm:
    """Waits before each run.

    Attributes:
        patience: How long at most; nobody waits at zero.
        begun_busy: How many runs began on a busy host after all.
        begun: How many runs began.
    """

    patience: timedelta
    begun_busy: int = 0
    begun: int = 0
    _last: tuple[float, float] = field(default=(0.0, 0.0), repr=False)

    def wait(self) -> None:
        """Wait until others use less than a seventh of the cores, or until patience ends."""
        self.begun += 1
        self._last = _times()
        try:
            wait_until(
                self._busy, lambda busy: busy <= CALM_AT_MOST, what="the host is calm",
                within=self.patience, every=LOOK_EVERY, in_a_row=2, error=NeverCalm,
            )  # fmt: skip
        except NeverCalm as error:
            self.begun_busy += 1
            log.warning("measuring on a busy host: %s", error)

    def _busy(self) -> float:
        before, self._last = self._last, _times()
        total = self._last[0] - before[0]
        return 1.0 if total <= 0 else (self._last[1] - before[1]) / total

    def sentence(self) -> str:
        """How calm it was, for the reader of the numbers."""
        if not self.begun_busy:
            return f"All {self.begun} runs began on a calm host (others used at most {CALM_AT_MOST:.0%} of the cores)."
        return f"{self.begun_busy} of {self.begun} runs began while others used more than {CALM_AT_MOST:.0%} of the cores."


def _times() -> tuple[float, float]:
    """All time of all cores since boot, and the part of it that was used."""
    ticks = [int(word) for word in STAT.read_text().splitlines()[0].split()[1:9]]
    total = sum(ticks)
    return float(total), float(total - sum(ticks[index] for index in IDLE_FIELDS))
