"""Outcomes of jobs as OpenTofu makes them, and a lab that is only a name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from model.lab import CommandResult, Fleet, Lab, PublishedKeys, Store
from model.topology import Address, topology
from probes.outcomes import Reached, SshOutcome
from probes.tofu import JobOutcome, StepResult

DATA = Path(__file__).parents[1] / "probes" / "data"
KEY = "acceptance/run/slug/terraform.tfstate"
CREATED = 1795456431.122277
"""When the lock in `refused_apply.txt` was taken."""


def said(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def job(
    status: int | None,
    output: str = "",
    *,
    runner: str = "runner01",
    reached: Reached = Reached.ANSWERED,
    began: float = CREATED - 1,
    session_status: int | None = None,
    init_status: int | None = 0,
) -> JobOutcome:
    """A job with the steps init, clock and apply; the apply took three seconds."""
    ended = session_status if session_status is not None else (status or 0)
    result = CommandResult("sh", ended, "", "") if reached is Reached.ANSWERED else None
    steps = (
        StepResult("init", init_status, accepted=init_status == 0),
        StepResult("clock", 0, f"{began:.9f}\n", accepted=True) if init_status == 0 else StepResult("clock"),
        StepResult("apply", status, "", output, timedelta(seconds=3), accepted=status == 0),
    )
    return JobOutcome(runner, SshOutcome(reached, result, detail="" if result else "gone"), steps, asked="10.1.0.102:9000")


@pytest.fixture
def lab() -> Lab:
    fleet = Fleet(Address("10.1.0.102", 9000), "tofu", Path("/nonexistent"), PublishedKeys(""))
    return Lab("nowhere", "none", topology("single"), {}, fleet, Store(Address("10.1.0.101", 9000), "tofu-state", "user", "no secret"))
