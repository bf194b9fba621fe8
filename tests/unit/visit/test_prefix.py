"""What lies below the prefix is ours, of an earlier run, or somebody else's."""

from __future__ import annotations

from model.lab import Store
from model.run import new_run_id
from model.topology import Address
from probes.prefix import belongings, owner
from probes.snapshots import ObjectVersion

STORE = Store(Address("127.0.0.1", 9), "states", "someone", "some-secret")


def sorted_out(*keys: str) -> tuple[tuple[str, ...], dict[str, int]]:
    found = belongings(STORE, [ObjectVersion(key, str(number)) for number, key in enumerate(keys)])
    return found.foreign, found.earlier


def test_every_run_has_a_name_that_is_known() -> None:
    run = new_run_id()
    assert owner(STORE, STORE.key(run, "x", "terraform.tfstate")) == run


def test_what_is_there_is_sorted() -> None:
    dead = "20261125-100000-aaaa"
    keys = (f"acceptance/{dead}/x/terraform.tfstate", f"acceptance/{dead}/x/terraform.tfstate.tflock", "acceptance/lease.json")
    assert sorted_out() == ((), {})
    assert sorted_out(*keys, "acceptance/condition/ab12") == ((), {dead: 2})
    assert sorted_out("acceptance/network/terraform.tfstate", *keys) == (("acceptance/network/terraform.tfstate",), {dead: 2})


def test_foreign_objects_are_named_with_the_remedy() -> None:
    found = belongings(STORE, [ObjectVersion(f"acceptance/team-{number}/terraform.tfstate") for number in range(5)])
    words = found.told(STORE)
    for each in ("acceptance/team-0/terraform.tfstate", "5 keys", "nothing was started", "store.prefix"):
        assert each in words
    assert "team-3" not in words


def test_three_keys_are_named_and_of_more_it_is_said_that_there_are_more() -> None:
    for count, more in ((3, False), (4, True)):
        found = belongings(STORE, [ObjectVersion(f"acceptance/team-{number}/x") for number in range(count)])
        assert "acceptance/team-2/x" in found.told(STORE)
        assert ("…" in found.told(STORE)) is more
