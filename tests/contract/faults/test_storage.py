"""A drive that is full, in a lab whose storage node has a drive of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from faults.storage import StorageFull
from model.errors import AbilityMissing, FaultHadNoEffect
from model.lab import Ability, Lab
from model.topology import MachineSpec, Role, topology
from model.waiting import wait_until
from probes.store import StoreProbe
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.roles import Applied
from provisioning.roles.reference import MINIO_DATA
from tests.contract.peer import Peer
from tests.contract.temporary import temporary_lab

pytestmark = pytest.mark.proof

KEY = "acceptance/contract/full"


def with_drives(machine: MachineSpec, applied: Applied) -> Applied:
    return replace(applied, drives=(MINIO_DATA,)) if machine.role is Role.STORAGE else applied


@pytest.fixture(scope="module")
def roomy(driver: EmbeddedDriver) -> Iterator[Lab]:
    own = replace(driver, alter=with_drives, _owned={})
    with temporary_lab(own, topology("single", 2), "faults-drive") as lab:
        if not lab.storage[0].can(Ability.FILL_DRIVE):
            pytest.skip("this host has no loop devices")
        yield lab


@pytest.fixture(scope="module")
def there(roomy: Lab) -> Iterator[Peer]:
    peer = Peer(roomy)
    store = StoreProbe(roomy.store)
    wait_until(lambda: peer.call(store.put, KEY, b"before"), lambda put: put.ok, what="the store writes", within=timedelta(seconds=30))
    yield peer
    peer.close()


def test_a_full_store_keeps_what_it_has_and_takes_nothing_more(roomy: Lab, there: Peer) -> None:
    store = StoreProbe(roomy.store)
    fault = StorageFull(roomy.storage[0])
    there.call(fault.strike)
    try:
        assert not there.call(store.put, KEY, b"x" * 500_000).ok
        assert there.call(store.get, KEY).value == b"before"
    finally:
        there.call(fault.undo)
    there.call(fault.heal)
    there.call(fault.prove_recovery)
    wait_until(
        lambda: there.call(store.put, KEY, b"after"), lambda put: put.ok, what="the store writes again", within=timedelta(seconds=20)
    )


def test_a_drive_that_nobody_fills_is_not_full(roomy: Lab, there: Peer) -> None:
    fault = StorageFull(roomy.storage[0])
    fault.inject = lambda: None  # type: ignore[method-assign]
    with pytest.raises(FaultHadNoEffect, match=r"still has \d+ bytes of space"):
        there.call(fault.strike)


def test_it_survives_a_power_cut_and_a_rebuild_empties_it(roomy: Lab, there: Peer) -> None:
    node = roomy.storage[0]
    node.run(f"echo mine > {MINIO_DATA}/.mine; sync")
    node.cut_power()
    node.power_on()
    assert node.run(f"cat {MINIO_DATA}/.mine").stdout == "mine\n"
    node.rebuild()
    assert not node.run(f"cat {MINIO_DATA}/.mine").ok
    assert node.run(f"mountpoint -q {MINIO_DATA}").ok


def test_a_node_without_a_drive_of_its_own_is_not_filled(lab: Lab) -> None:
    with pytest.raises(AbilityMissing, match="storage01: fill a drive that has a file system of its own"):
        StorageFull(lab.storage[0])
