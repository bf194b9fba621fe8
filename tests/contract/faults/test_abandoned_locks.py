"""Locks inside the store whose holder died: the others give them up, also where too few of them know of the lock to call it one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from http.client import HTTPConnection

import pytest

from faults.packets import Partition
from faults.service import ProcessKilled
from model.lab import Lab, Machine
from model.waiting import wait_until
from probes.store import StoreProbe
from tests.contract.faults.administration import ask_minio
from tests.contract.faults.zoo import MINIO, S3, Strike
from tests.contract.peer import Peer

pytestmark = pytest.mark.proof

KEY = "acceptance/contract/faults/taken-in"
LARGE = 10_000_000
SHUT_OUT_WITHIN = timedelta(seconds=30)
"""A node that hears nothing of another gives it up after 8 s, measured."""
WRITTEN_WITHIN = timedelta(seconds=30)
"""3 to 9 s, measured; without the service that gives locks up 69 to 114 s."""


def for_writing(node: Machine) -> list[set[str]]:
    """For each lock for writing the object, as one node knows them: the machines that have it."""
    found = ask_minio(node, "top/locks?count=0&stale=true") or []
    return [set(each["serverlist"]) for each in found if each["resource"].endswith(KEY) and each["type"] == "WRITE"]


@pytest.fixture
def unfinished(lab: Lab, peer: Peer) -> Iterator[Callable[[Machine], None]]:
    """Begin to write the object through a machine, under the condition that there is none, and never end; it is gone afterwards."""
    links: list[HTTPConnection] = []

    def begin(node: Machine) -> None:
        place = StoreProbe(lab.store, node.at(S3)).client.presigned_put_object(bucket_name=lab.store.bucket, object_name=KEY)
        link = HTTPConnection(node.address, S3, timeout=5)
        links.append(link)
        link.putrequest("PUT", place.removeprefix(lab.store.url_of(node.at(S3))))
        link.putheader("If-None-Match", "*")
        link.putheader("Content-Length", str(LARGE))
        link.endheaders()
        link.send(b".")

    yield lambda node: peer.call(begin, node)
    for link in links:
        link.close()
    peer.call(StoreProbe(lab.store).remove, KEY)


def test_a_lock_that_too_few_machines_know_of_is_given_up_as_well(
    lab: Lab, peer: Peer, broken: Strike, unfinished: Callable[[Machine], None]
) -> None:
    first, second, dies, other = (lab.machines[f"storage0{number}"] for number in range(1, 5))
    partition = broken(Partition(dies, other, S3))
    unfinished(dies)
    three = {str(each.at(S3)) for each in (first, second, dies)}
    wait_until(lambda: for_writing(first), lambda seen: seen == [three], what="three of four have the lock", within=SHUT_OUT_WITHIN)
    broken(ProcessKilled(dies, MINIO))
    peer.call(partition.undo)
    assert three - {str(dies.at(S3))} in for_writing(first), "expected the lock to be left behind on two of four"
    written = peer.call(StoreProbe(lab.store, second.at(S3), within=WRITTEN_WITHIN).put, KEY, b"")
    assert written.ok, f"expected {KEY} to be written within {WRITTEN_WITHIN.total_seconds():.0f} s; observed {written.error}"
