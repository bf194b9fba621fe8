"""Recorded runs that nobody ran."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.measurements import Limit, Measurement
from model.story import SuiteFacts
from model.verdicts import Gate, Verdict
from reports.recorded import SCHEMA_VERSION, Digests, RecordedCheck, RecordedRun, RecordedScenario, Spent


def measured(value: float, name: str = "out of rotation after", unit: str = "s", **labels: str) -> Measurement:
    return Measurement(name, value, unit, Limit(35.0, "at most"), labels, "features/a.feature::a", ("V1",), 0.0)


def scenario(number: int = 1, verdict: Verdict = Verdict.PASSED, **more: Any) -> RecordedScenario:
    return RecordedScenario(
        nodeid=f"features/a.feature::s{number}",
        title=f"Scenario {number}",
        feature="A",
        rule="It works",
        file="features/a.feature",
        line=10 + number,
        checks=(f"V{number}",),
        tier="gate",
        disruptive=False,
        verdict=verdict,
        **more,
    )


def check(number: int = 1, verdict: Verdict = Verdict.PASSED, **more: Any) -> RecordedCheck:
    return RecordedCheck(f"V{number}", f"Promise {number}", "item", verdict, verdict.value, 1.0, 1, 1, **more)


def recorded(*scenarios: RecordedScenario, checks: tuple[RecordedCheck, ...] = (), folder: Path = Path(), **more: Any) -> RecordedRun:
    at = datetime(2026, 11, 23, 17, 45, 42, tzinfo=UTC)
    values: dict[str, Any] = {"exit_code": 0, "conclusion": "1 of 1 checks hold.", "gate_met": True, "dirty": ()}
    values |= more
    return RecordedRun(
        schema_version=SCHEMA_VERSION,
        id="20261123-174542-abcd",
        started=at,
        ended=at,
        driver="embedded",
        topology="production",
        tier="gate",
        gate=Gate.ALL,
        seed="20261123-174542-abcd",
        stopped="",
        interrupted=False,
        suite=SuiteFacts(),
        lab=None,
        spent=Spent(1, 2, 1, 1, 5),
        digests=Digests(),
        checks=checks,
        planned=(),
        scenarios=scenarios,
        left_out=(),
        folder=folder,
        **values,
    )
