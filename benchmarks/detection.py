"""How long a balancer must take to see that a server died or returned, computed from its own settings.

`inter` is the pause after the end of a check, `fastinter` the pause from the first check that differs, `downinter` the pause while a
server is down (haproxy `src/check.c`, `src/server.c` `srv_getinter`; configuration manual, section 5.2):

    out  = U(0, inter) + fall * d + (fall - 1) * fastinter
    back = U(0, downinter) + (rise - 1) * fastinter

`U` is a moment chosen by chance, `d` how long one failing check lasts: nothing where the port refuses, `timeout connect` where nobody
answers. Several balancers look independently: all have seen it when the last has, on average after n/(n+1) of the pause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DEFAULT_INTER, DEFAULT_RISE, DEFAULT_FALL = 2.0, 2, 3
"""HAProxy's own (configuration manual, section 5.2)."""


@dataclass(frozen=True)
class Expected:
    """What the settings allow, in seconds: at best, on average, at worst."""

    least: float
    mean: float
    most: float

    def __str__(self) -> str:
        """For a table."""
        return f"{self.least:.1f} to {self.most:.1f} s by the settings, {self.mean:.1f} s on average"


@dataclass(frozen=True)
class CheckSettings:
    """Health check settings of a pool, in seconds and counts."""

    inter: float
    fastinter: float
    downinter: float
    rise: int
    fall: int
    timeout_connect: float

    def out(self, balancers: int, *, silent: bool) -> Expected:
        """Until every balancer has taken a server out.

        Args:
            balancers: How many look.
            silent: Whether nobody answers at the address; else the port refuses.
        """
        lasts = min(self.timeout_connect, self.inter) if silent else 0.0
        return self._after(self.inter, self.fall * lasts + (self.fall - 1) * self.fastinter, balancers)

    def back(self, balancers: int = 1) -> Expected:
        """Until so many balancers have taken a server back in.

        Args:
            balancers: How many look; one is enough where connections go through one address.
        """
        return self._after(self.downinter, (self.rise - 1) * self.fastinter, balancers)

    @staticmethod
    def _after(pause: float, then: float, balancers: int) -> Expected:
        return Expected(then, then + pause * balancers / (balancers + 1), then + pause)


def seconds(text: str) -> float:
    """A time as HAProxy writes it: `2s`, `500ms`, `1500` (milliseconds).

    Raises:
        ValueError: It is no such time.
    """
    found = re.fullmatch(r"(\d+)(us|ms|s|m|h|d)?", text)
    if not found:
        raise ValueError(f"{text!r} is no time of HAProxy")
    return int(found[1]) * UNITS[found[2] or "ms"]


def read_settings(configuration: str, pool: str) -> CheckSettings:
    """Read the settings of a pool from a balancer's configuration.

    Args:
        configuration: Text of `haproxy.cfg`.
        pool: Name of its `listen` or `backend` section.

    Raises:
        ValueError: There is no such section.
    """
    sections = re.split(r"^(?=[a-z])", re.sub(r"#.*", "", configuration), flags=re.MULTILINE)
    chosen = [part for part in sections if part.split()[:1] == ["defaults"] or part.split()[1:2] == [pool]]
    if not any(part.split()[1:2] == [pool] for part in chosen):
        raise ValueError(f"the configuration has no section {pool}")
    words = " ".join(chosen).split()
    following = dict(pairwise(words))
    connect = [after for first, name, after in zip(words, words[1:], words[2:], strict=False) if (first, name) == ("timeout", "connect")]
    inter = seconds(following["inter"]) if "inter" in following else DEFAULT_INTER
    return CheckSettings(
        inter=inter,
        fastinter=seconds(following["fastinter"]) if "fastinter" in following else inter,
        downinter=seconds(following["downinter"]) if "downinter" in following else inter,
        rise=int(following.get("rise", DEFAULT_RISE)),
        fall=int(following.get("fall", DEFAULT_FALL)),
        timeout_connect=seconds(connect[-1]) if connect else inter,
    )
