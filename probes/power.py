"""Whether machines have power: one that has none breaks a promise, it does not keep us from telling."""

from __future__ import annotations

from collections.abc import Iterable

from model.errors import PromiseBroken
from model.lab import Machine


def expect_power(machines: Iterable[Machine]) -> None:
    """See that machines are on before they are looked at from inside.

    Raises:
        PromiseBroken: One is off; without this its control channel would fail, which tells nothing about the lab.
    """
    __tracebackhide__ = True
    for machine in machines:
        if not machine.is_on():
            raise PromiseBroken(f"expected {machine.name} ({machine.address}) to be on; observed that it is off")
