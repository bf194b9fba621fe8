"""Numbers that a run observed, each with its unit and, where promised, its limit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

EXACT_DIGITS = 7
"""Behind the point; beyond microseconds no measurement of ours says anything."""


@dataclass(frozen=True)
class Limit:
    """A bound that a promise sets for a number."""

    bound: float
    kind: Literal["at most", "at least"]

    def holds(self, value: float) -> bool:
        """Tell whether the value keeps the promise."""
        return value <= self.bound if self.kind == "at most" else value >= self.bound


def at_most(bound: float) -> Limit:
    """The number promised is not above `bound` (in the measurement's unit)."""
    return Limit(float(bound), "at most")


def at_least(bound: float) -> Limit:
    """The number promised is not below `bound` (in the measurement's unit)."""
    return Limit(float(bound), "at least")


@dataclass(frozen=True)
class Measurement:
    """One number."""

    name: str
    value: float
    unit: str
    limit: Limit | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    scenario: str = ""
    checks: tuple[str, ...] = ()
    at: float = 0.0

    def sentence(self) -> str:
        """Say it as the terminal and the report do: `failover 4.6 s of 35 s allowed`."""
        label = f" ({', '.join(self.labels.values())})" if self.labels else ""
        number = self._number()
        if self.limit is None:
            return f"{self.name}{label} {number} {self.unit}"
        word = "allowed" if self.limit.kind == "at most" else "required"
        return f"{self.name}{label} {number} {self.unit} of {self.limit.bound:g} {self.unit} {word}"

    def _number(self) -> str:
        """Rounded for people, but never across the limit: a miss by 40 ms must not read `35 s of 35 s allowed`."""
        shortest = f"{self.value:.3g}" if abs(self.value) < 100 else f"{self.value:.0f}"  # noqa: PLR2004
        if self.limit is None:
            return shortest
        limit, digits = self.limit, range(1, EXACT_DIGITS)
        candidates = [shortest, *(f"{self.value:.{count}f}" for count in digits)]
        return next((text for text in candidates if limit.holds(float(text)) is limit.holds(self.value)), repr(self.value))

    def as_data(self) -> dict[str, Any]:
        """Plain data for a report's `user_properties` (crosses process borders)."""
        return {**asdict(self), "labels": dict(self.labels), "checks": list(self.checks)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Measurement:
        """Inverse of `as_data`."""
        limit = Limit(**data["limit"]) if data.get("limit") else None
        return cls(**{**data, "limit": limit, "checks": tuple(data["checks"])})


class MeasurementStream:
    """The one stream of a run; it knows which scenario is being measured."""

    def __init__(self) -> None:
        """Start empty."""
        self.scenario = ""
        self.checks: tuple[str, ...] = ()
        self.collected: list[Measurement] = []

    def begin(self, scenario: str, checks: tuple[str, ...]) -> None:
        """Everything measured from now on belongs to this scenario."""
        self.scenario, self.checks, self.collected = scenario, checks, []

    def measure(self, name: str, value: float, unit: str, limit: Limit | None = None, **labels: str) -> Measurement:
        """Record a number.

        Args:
            name: What was measured, in a reader's words ("out of rotation after").
            value: The number.
            unit: Its unit ("s", "connections").
            limit: What the sentence promises, if it does.
            **labels: What tells this number from its neighbours (machine, variant).

        Returns:
            The measurement, with scenario and checks added.
        """
        entry = Measurement(name, float(value), unit, limit, labels, self.scenario, self.checks, time.time())
        self.collected.append(entry)
        return entry
