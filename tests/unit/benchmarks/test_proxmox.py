"""Labs on a stand-in of Proxmox VE are measured in each topology that can be made there, by phase; none is made here."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest

from benchmarks import proxmox
from benchmarks.__main__ import main
from benchmarks.calm import Calm

PLANS = ["production", "single"]
TAKEN = {"apply": 10.0, "boot": 0.1, "roles": 9.0, "store set up": 2.0, "snapshots": 2.0, "serving": 0.1, "up": 24.0, "down": 4.0}


def test_topologies_take_turns_and_each_phase_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def trial(plan: str) -> dict[str, float]:
        asked.append(plan)
        return TAKEN

    monkeypatch.setattr(proxmox, "_trial", trial)
    table = proxmox.measure(2, Calm(timedelta()), lambda _what: None)
    assert asked == [*PLANS, *PLANS]
    assert [(row.what, row.values) for row in table.rows] == [
        (f"{plan}: {phase}", (seconds, seconds)) for plan in PLANS for phase, seconds in TAKEN.items()
    ]


def test_a_median_is_one_of_five_unless_told_otherwise() -> None:
    assert inspect.signature(main).parameters["runs"].default == 5
