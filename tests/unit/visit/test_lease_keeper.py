"""A lease is renewed in the background, and what becomes of it is told."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest

from model.waiting import wait_until
from probes.lease import Lease
from probes.lease_holder import GOOD_FOR, Holder
from probes.lease_keeper import LeaseKeeper
from tests.unit.visit.fake_store import FakeStore


class Scripted:
    """A lease whose renewals end as planned."""

    def __init__(self, results: str = "") -> None:
        """Plan: `+` works, `-` does not."""
        self.results, self.renewed, self.lost, self.missing, self.unrenewed = list(results), 0, "", "", GOOD_FOR

    def renew(self) -> bool:
        self.renewed += 1
        return self.results.pop(0) == "+"

    def give_up(self) -> str:
        return "given up"


def kept_by(scripted: Scripted) -> LeaseKeeper:
    return LeaseKeeper(scripted, every=timedelta(seconds=20), again=timedelta(seconds=2))  # type: ignore[arg-type]


def test_what_did_not_work_is_soon_tried_again_and_changes_are_told(caplog: pytest.LogCaptureFixture) -> None:
    keeper, pauses = kept_by(Scripted("++--++")), list[float]()

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) > 6

    caplog.set_level(logging.INFO)
    keeper._ended = SimpleNamespace(wait=wait)  # type: ignore[assignment]
    keeper._keep()
    assert pauses == [20, 20, 20, 2, 2, 20, 20]
    assert [each.message for each in caplog.records] == [
        "the lease of the lab cannot be renewed now: the store is away",
        "the lease of the lab is renewed again",
    ]


def test_a_lease_that_is_lost_is_told_and_renewed_no_more(caplog: pytest.LogCaptureFixture) -> None:
    scripted = Scripted("-")
    scripted.lost = "it is held by another run"
    keeper = kept_by(scripted)
    keeper._ended = SimpleNamespace(wait=lambda _: False)  # type: ignore[assignment]
    keeper._keep()
    assert [each.message for each in caplog.records] == ["the lease of the lab is lost: it is held by another run"]
    assert (scripted.renewed, keeper.why_lost(disturbed=False)) == (1, "it is held by another run")


@pytest.mark.parametrize(
    ("lost", "missing", "disturbed", "over", "renewed"),
    [
        ("", "", False, 1, 1),
        ("", "", False, 0, 0),
        ("", "", True, 1, 0),
        ("", "the store is away", False, 1, 0),
        ("held by another", "", False, 1, 0),
    ],
)
def test_before_a_lab_is_given_up_it_is_renewed_once_more(lost: str, missing: str, disturbed: bool, over: int, renewed: int) -> None:
    scripted = Scripted("+")
    scripted.lost, scripted.missing, scripted.unrenewed = lost, missing, GOOD_FOR + timedelta(seconds=over)
    assert kept_by(scripted).why_lost(disturbed=disturbed) == lost
    assert scripted.renewed == renewed


def test_a_lease_that_nobody_renewed_is_given_up_all_the_same() -> None:
    keeper = kept_by(Scripted())
    assert keeper.end() == "given up"
    keeper.start()
    assert keeper._thread is not None
    assert keeper._thread.daemon
    assert keeper.end() == "given up"
    assert not keeper._thread.is_alive()


def test_it_is_renewed_until_it_is_ended() -> None:
    store = FakeStore()
    lease = Lease(store, Holder.me("20261125-100000-aaaa"))  # type: ignore[arg-type]
    lease.take()
    keeper = LeaseKeeper(lease, every=timedelta(milliseconds=1), again=timedelta(milliseconds=1))
    keeper.start()
    wait_until(
        lambda: Holder.from_json(store.versions_of[lease.key][-1].content).renewed,
        lambda renewals: renewals >= 3,
        what="the lease is renewed three times",
        within=timedelta(seconds=30),
    )
    assert keeper.end() == ""
    assert store.versions_of == {}
