"""Who else works in a lab: what is seen of locks and machines, and what cannot be seen is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from model.errors import ControlChannelLost
from model.lab import CommandResult, Lab, Machine
from probes.answers import StoreError
from probes.in_use import foreign_locks, uses_of
from tests.unit.probes_more.stand_ins import LOCK, STORE, Said, Shelf


def test_locks_of_others_are_told_and_ours_and_those_given_back_are_not() -> None:
    own = f"{STORE.own}20260101-000000-abcd/a.tflock"
    shelf = Shelf({"network.tflock": LOCK, "gone.tflock": b"", "odd.tflock": b"what", own: LOCK, "network": b"{}"})
    found = foreign_locks(shelf).value
    assert found is not None
    assert [str(use) for use in found] == [
        "the lock of alice@workstation on state network, since 2026-11-23T17:45:42Z (OperationTypeApply)",
        "a lock that cannot be read of somebody on state odd, since an unknown time",
    ]


def test_what_is_seen_comes_together_and_what_cannot_be_seen_is_named(lab: Lab) -> None:
    stranger = CommandResult("sh", 0, "tofu\t7\t30\tbob\t/srv/network\n", "")
    machines: list[Machine] = [
        Said("runner01", stranger),
        Said("runner02", ControlChannelLost("it does not answer")),
        Said("runner03", CommandResult("sh", 1, "", "no ps")),
        Said("storage01", CommandResult("sh", 0, "nonsense\n", "")),
        Said("balancer01", ControlChannelLost("never asked"), frozenset()),
    ]
    lab.machines.update({machine.name: machine for machine in machines})
    seen = uses_of(lab, Shelf({"network.tflock": LOCK}), locks=True)
    assert [(use.what, use.who) for use in seen.uses] == [("a tofu process", "bob"), ("the lock", "alice@workstation")]
    assert "bob on runner01 (process 7), since 20" in str(seen)
    since = datetime.strptime(seen.uses[0].since, "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC)
    assert timedelta(seconds=29) <= datetime.now(UTC) - since < timedelta(seconds=90)
    assert seen.unseen == (
        "sessions on runner02: it does not answer",
        "sessions on runner03: no ps",
        "sessions on storage01: what storage01 said about processes cannot be read: 'nonsense'",
    )


@pytest.mark.parametrize(("locks", "unseen"), [(True, ("locks in bucket tofu-state: AccessDenied",)), (False, ())])
def test_locks_that_may_not_be_seen(lab: Lab, locks: bool, unseen: tuple[str, ...]) -> None:
    seen = uses_of(lab, Shelf({}, StoreError("AccessDenied", 403, "no")), locks=locks)
    assert (seen.uses, seen.unseen) == ((), unseen)
    assert str(seen) == "nobody else works in the lab"
