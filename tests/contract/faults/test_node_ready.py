"""A storage node that starts tells the balancers of its health only when it sees the drives of all, and that is soon."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from urllib.parse import quote

import pytest

from faults.power import PlugPulled
from faults.service import ProcessKilled
from model.lab import Lab, Machine
from model.waiting import wait_until
from probes.store import StoreProbe
from provisioning.roles.reference import READY, READY_PORT
from tests.contract.faults.administration import ask_minio
from tests.contract.faults.zoo import MINIO, S3, Strike
from tests.contract.peer import Peer

pytestmark = pytest.mark.proof

LOOKS_AGAIN_AFTER = 15.0
"""Seconds, until MinIO looks for drives once more that it missed when it started."""
WITHIN = timedelta(seconds=60)
SOON = timedelta(seconds=1)
USED_FOR = 12.0
"""Seconds of a loss; who failed for so long is asked for up to 13 s apart."""
KEY = "acceptance/contract/ready"

DRY_RUN = '{"recursive":false,"dryRun":true,"scanMode":1,"nolock":true}'


def drives_seen(node: Machine) -> int:
    """How many drives a node works with, as it says itself."""
    token = quote(ask_minio(node, "heal/?forceStart=true", DRY_RUN)["clientToken"])
    said = ask_minio(node, f"heal/?clientToken={token}", DRY_RUN)
    return sum(drive["state"] != "offline" for drive in said["Items"][0]["before"]["drives"])


def opened(peer: Peer, node: Machine) -> float:
    """Wait until a node tells of its health; seconds from when MinIO answered."""
    wait_until(lambda: peer.attempt(node, S3), lambda seen: seen == "open", what=f"MinIO listens on {node.name}", within=WITHIN)
    began = time.monotonic()
    wait_until(lambda: peer.attempt(node, READY_PORT), lambda seen: seen == "open", what=f"{node.name} is ready", within=WITHIN)
    return time.monotonic() - began


def test_a_node_that_starts_is_ready_when_it_sees_all_drives_and_need_not_look_twice(lab: Lab, peer: Peer, broken: Strike) -> None:
    took = []
    for node in lab.storage:
        broken(ProcessKilled(node, MINIO))
        wait_until(lambda: peer.attempt(node, READY_PORT), lambda seen: seen == "refused", what="it tells nothing", within=SOON)  # noqa: B023
        took.append(opened(peer, node))
        assert drives_seen(node) == len(lab.storage)
    assert statistics.median(took) < LOOKS_AGAIN_AFTER, took


def test_where_a_drive_is_lost_a_node_that_starts_is_ready_when_it_has_looked_twice(lab: Lab, peer: Peer, broken: Strike) -> None:
    lost, node = lab.machines["storage04"], lab.machines["storage02"]
    broken(PlugPulled(lost))
    broken(ProcessKilled(node, MINIO))
    assert opened(peer, node) > LOOKS_AGAIN_AFTER
    assert drives_seen(node) == len(lab.storage) - 1


def test_a_node_that_others_missed_is_ready_when_all_of_them_use_its_drive(lab: Lab, peer: Peer, broken: Strike) -> None:
    node, *others = lab.storage
    stores = [StoreProbe(lab.store, other.at(S3)) for other in others]
    fault = broken(PlugPulled(node))
    ends = time.monotonic() + USED_FOR
    while time.monotonic() < ends:
        for store in stores:
            peer.call(store.put, KEY, b"used")
            peer.call(store.get, KEY)
    fault.undo()
    opened(peer, node)
    assert {other.name: drives_seen(other) for other in others} == {other.name: len(lab.storage) for other in others}
    assert peer.call(stores[0].remove_all, KEY).ok


def test_a_node_is_held_by_nobody_when_the_one_that_held_it_was_killed(lab: Lab, peer: Peer, broken: Strike) -> None:
    node = lab.machines["storage03"]
    broken(ProcessKilled(node, MINIO))

    def state() -> str:
        return node.run("ps -C minio -o stat=").stdout.strip()

    wait_until(state, lambda seen: seen.startswith("T"), what="MinIO is held", within=WITHIN, every=timedelta(milliseconds=50))
    assert node.run(f"systemctl kill --kill-whom=all --signal=KILL {READY}").ok
    wait_until(state, lambda seen: seen[:1] in {"S", "R"}, what="MinIO goes on", within=SOON)
    opened(peer, node)
