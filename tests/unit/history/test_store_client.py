"""A read is stale when a later write had been acknowledged before it began, and only then."""

from __future__ import annotations

import pytest

from model.history import Operation, Operations, Outcome
from probes.clients.store import stale_reads

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN


def write(value: str, started: float, ended: float, outcome: Outcome = OK) -> Operation:
    return Operation("write", started, ended, outcome, labels={"value": value})


def read(value: str, started: float, outcome: Outcome = OK) -> Operation:
    return Operation("read", started, started + 0.1, outcome, labels={"value": value})


ONE, TWO = write("1", 1, 2), write("2", 3, 4)


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param([ONE, TWO, read("2", 5)], id="the newest"),
        pytest.param([ONE, TWO, read("1", 3.5)], id="the one before, while the newest is being written"),
        pytest.param([ONE, TWO, read("2", 3.5)], id="the newest, while it is being written"),
        pytest.param([ONE, read("", 0.5)], id="nothing, before anything was written"),
        pytest.param([ONE, read("", 1.5)], id="nothing, while the first is being written"),
        pytest.param([write("1", 1, 2, FAILED), TWO, read("1", 5)], id="a failed write that took effect late"),
        pytest.param([ONE, write("2", 3, 4, FAILED), read("1", 5)], id="a failed write that had no effect"),
        pytest.param([ONE, write("2", 3, 4, UNKNOWN), read("2", 5)], id="an unknown write that had effect"),
        pytest.param([ONE, TWO, read("1", 5, FAILED)], id="a read that failed"),
    ],
)
def test_a_read_that_may_be(operations: list[Operation]) -> None:
    assert not stale_reads(Operations(operations))


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param([ONE, TWO, read("1", 5)], id="older than what was acknowledged"),
        pytest.param([ONE, read("", 2.5)], id="nothing, although something was acknowledged"),
        pytest.param([ONE, read("stranger", 2.5)], id="what nobody wrote"),
        pytest.param([ONE, write("2", 3, 4, UNKNOWN), read("", 5)], id="nothing, although the first was acknowledged"),
    ],
)
def test_a_read_that_must_not_be(operations: list[Operation]) -> None:
    assert stale_reads(Operations(operations)) == tuple(each for each in operations if each.name == "read")
