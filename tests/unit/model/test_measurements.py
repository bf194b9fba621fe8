"""Numbers with unit and limit, as sentences and as data."""

from __future__ import annotations

import json

import pytest

from model.measurements import Limit, Measurement, MeasurementStream, at_least, at_most


@pytest.mark.parametrize(
    ("limit", "value", "holds"),
    [(at_most(35), 35, True), (at_most(35), 35.001, False), (at_least(3), 3, True), (at_least(3), 2.9, False)],
)
def test_a_bound_is_part_of_the_promise(limit: Limit, value: float, holds: bool) -> None:
    assert limit.holds(value) is holds


@pytest.mark.parametrize(
    ("value", "limit", "sentence"),
    [
        (4.5678, None, "failover 4.57 s"),
        (4.5678, at_most(35), "failover 4.57 s of 35 s allowed"),
        (41.2, at_most(35), "failover 41.2 s of 35 s allowed"),
        (1234.5, at_most(2000), "failover 1234 s of 2000 s allowed"),
        (-1234.5, None, "failover -1234 s"),
        (99.5, None, "failover 99.5 s"),
        (2, at_least(3), "failover 2 s of 3 s required"),
        (0, at_most(0), "failover 0 s of 0 s allowed"),
    ],
)
def test_it_reads_as_a_sentence(value: float, limit: Limit | None, sentence: str) -> None:
    assert Measurement("failover", value, "s", limit).sentence() == sentence


@pytest.mark.parametrize(
    ("value", "limit", "number"),
    [
        (35.04, at_most(35), "35.04"),
        (35.0000001, at_most(35), "35.0000001"),
        (35.0000012, at_most(35), "35.000001"),
        (35.00000012, at_most(35), "35.00000012"),
        (100.3, at_most(100), "100.3"),
        (34.96, at_least(35), "34.96"),
        (99.9, at_least(100), "99.9"),
        (34.96, at_most(35), "35"),
    ],
)
def test_rounding_never_hides_a_miss(value: float, limit: Limit, number: str) -> None:
    sentence = Measurement("failover", value, "s", limit).sentence()
    assert sentence.split(" s of ")[0] == f"failover {number}"


def test_a_number_of_no_run_has_no_moment() -> None:
    assert Measurement("failover", 1, "s").at == 0


def test_labels_are_told() -> None:
    entry = Measurement("failover", 1, "s", labels={"machine": "runner02", "how": "plug pulled"})
    assert entry.sentence() == "failover (runner02, plug pulled) 1 s"


@pytest.mark.parametrize("limit", [None, at_most(35), at_least(0)])
def test_it_crosses_a_process_border(limit: Limit | None) -> None:
    entry = Measurement("failover", 4.5, "s", limit, {"machine": "runner02"}, "a.feature::x", ("V6", "T2"), 12.5)
    assert Measurement.from_data(json.loads(json.dumps(entry.as_data()))) == entry


def test_the_stream_knows_which_scenario_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = MeasurementStream()
    stream.begin("one", ("V6",))
    first = stream.measure("out of rotation after", 4, "s", at_most(35), machine="runner02")
    assert (first.scenario, first.checks, first.labels) == ("one", ("V6",), {"machine": "runner02"})
    assert first.at > 0
    collected = stream.collected
    stream.begin("two", ())
    assert stream.collected == []
    assert collected == [first], "what the scenario before collected stays with whoever took it"
    assert stream.measure("x", 1, "s").scenario == "two"
