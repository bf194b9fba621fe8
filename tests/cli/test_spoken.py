"""Ages and states in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.cli.labs import Entry, Owner, spoken

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=-1), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=2, hours=5), "2 days"),
    ],
)
def test_an_age_is_told_in_one_unit(age: timedelta, words: str) -> None:
    assert spoken(age) == words


def test_a_lab_is_told_in_one_line() -> None:
    machines = {"storage01": "on", "runner01": "off", "runner02": "suspended"}
    entry = Entry("mine", Owner.KEPT, "single", datetime.now(UTC) - timedelta(minutes=3), machines)
    assert entry.sentence() == "mine: single, 1 of 3 machines on (runner01 off, runner02 suspended), 3 min old, kept"
    assert entry.remove == "python -m provisioning down mine"


def test_a_lab_of_a_living_run_is_removed_by_force_only() -> None:
    entry = Entry("mine", Owner.RUN, "single", NOW, {})
    assert entry.remove == "python -m provisioning down mine --force"
    assert entry.age(NOW + timedelta(seconds=90)) == timedelta(seconds=90)
