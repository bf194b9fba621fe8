"""How long a balancer must take to see that a server died or returned, computed from its own settings.

`inter` is the pause after the end of a check, `fastinter` the pause from the first check that differs, `downinter` the pause while a
server is down (haproxy `src/check.c`, `src/server.c` `srv_getinter`; configuration manual, section 5.2):

    out  = U(0, inter) + fall * d + (fall - 1) * fastinter
    back = U(0, downinter) + (rise - 1) * fastinter

`U` is a moment chosen by chance, `d` how long one failing check lasts: nothing where the port refuses, `timeout connect` where nobody
answers. Several balancers look independently: all have seen it when the last has, on average after n/(n+1) of the pause.
"""

from __future__ import annotations

from dataclasses import dataclass

from probes.haproxy_config import parse_configuration


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


def read_settings(configuration: str, pool: str) -> CheckSettings:
    """Read the settings of a pool from a balancer's configuration; its first checked server stands for all.

    Args:
        configuration: Text of `haproxy.cfg`.
        pool: Name of its `listen` or `backend` section.

    Raises:
        ValueError: There is no such section, or none of its servers is checked.
    """
    proxy = parse_configuration(configuration).get(pool)
    checked = [checking for checking in proxy.servers.values() if checking] if proxy else []
    if proxy is None or not checked:
        raise ValueError(f"the configuration has no section {pool} with servers that are checked")
    first = checked[0]
    times = (first.inter, first.fastinter, first.downinter)
    inter, fastinter, downinter = (time.total_seconds() for time in times)
    connect = proxy.timeouts.get("connect", first.inter).total_seconds()
    return CheckSettings(inter, fastinter, downinter, first.rise, first.fall, connect)
