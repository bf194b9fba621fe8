"""Who else works in a lab: what is seen of locks and machines, and what cannot be seen is named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model.errors import ControlChannelLost
from model.lab import COMMAND_DEADLINE, Ability, CommandResult, Lab, Machine, Store
from model.topology import Address, MachineSpec, Role
from probes.answers import Answer, StoreError
from probes.in_use import foreign_locks, uses_of
from probes.snapshots import ObjectVersion
from probes.store import StoreProbe
from tests.unit.history.conftest import lab as _lab
from tests.unit.stand_in import StandIn

lab = _lab
LOCK = (
    b'{"ID": "1", "Operation": "OperationTypeApply", "Who": "alice@workstation", "Created": "2026-11-23T17:45:42Z", "Info": "", "Path": ""}'
)
STORE = Store(Address("10.1.0.101", 9000), "tofu-state", "user", "no secret")


class Shelf(StoreProbe):
    """A store that is a dictionary."""

    def __init__(self, content: dict[str, bytes], error: StoreError | None = None) -> None:
        """Fill it; with an error nothing can be listed."""
        super().__init__(STORE)
        self.content, self.error = content, error

    def objects(self, prefix: str) -> Answer[tuple[ObjectVersion, ...]]:
        if self.error is not None:
            return Answer(error=self.error)
        return Answer(tuple(ObjectVersion(key) for key in self.content if key.startswith(prefix)))

    def get(self, key: str, version_id: str | None = None) -> Answer[bytes]:
        found = self.content[key]
        return Answer(found) if found else Answer(error=StoreError("NoSuchKey", 404, "gone"))


class Said(StandIn):
    """A machine that says what a test wants, and keeps what it was asked."""

    def __init__(self, name: str, result: CommandResult | Exception, abilities: frozenset[Ability] = StandIn.abilities) -> None:
        """Tell it what to say."""
        super().__init__(MachineSpec(name, "10.1.0.103", Role.RUNNER))
        self.result, self.abilities, self.asked = result, abilities, list[str]()

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        del timeout, stdin
        self.asked.append(command)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


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
