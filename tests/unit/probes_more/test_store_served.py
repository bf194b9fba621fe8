"""The store probe, and writers that race, against a store that is a dictionary behind HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from model.errors import AcceptanceError
from model.lab import Store
from model.topology import Address
from probes import lock_race
from probes.lock_race import WRITERS, Racing, race
from probes.store import StoreProbe
from tests.unit.probes_more.served_shelf import ALL_GRANTED, FORBIDDEN, GARBAGE, HANGS_UP, Served, served_shelf
from tests.unit.probes_more.stand_ins import STORE

KEY = f"{STORE.own}20260101-000000-abcd/x"
LONG = timedelta(seconds=30)
EXPIRING = (
    "<LifecycleConfiguration><Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>"
    "<NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>"
)


@pytest.fixture
def shelf() -> Iterator[Served]:
    with served_shelf() as server:
        yield server


@pytest.fixture
def store(shelf: Served) -> Store:
    return replace(STORE, endpoint=shelf.address)


@pytest.fixture
def probe(store: Store) -> Iterator[StoreProbe]:
    with closing(StoreProbe(store)) as asked:
        yield asked


def test_an_object_is_written_read_and_removed(shelf: Served, probe: StoreProbe) -> None:
    assert probe.put(KEY, b"content").value == "v1"
    assert shelf.content == {f"/{STORE.bucket}/{KEY}": b"content"}
    assert probe.get(KEY).value == b"content"
    assert probe.get(KEY, "v1").value == b"content"
    assert shelf.asked[-1].endswith("?versionId=v1 HTTP/1.1")
    assert probe.remove(KEY).value is True
    assert shelf.content == {}
    gone = probe.get(KEY)
    assert gone.error is not None
    assert (gone.missing, gone.error.status) == (True, 404)


def test_what_is_written_to_leave_nothing_is_removed_by_its_version(shelf: Served, probe: StoreProbe) -> None:
    assert probe.leave_nothing(KEY) is None
    assert shelf.content == {}
    assert [line.split()[0] for line in shelf.asked] == ["PUT", "DELETE"]
    assert "versionId=v1" in shelf.asked[-1]
    shelf.manner = FORBIDDEN
    refused = probe.leave_nothing(KEY)
    assert refused is not None
    assert (refused.code, refused.status, refused.message) == ("AccessDenied", 403, "as the test says")


def test_a_lock_is_granted_once(shelf: Served, probe: StoreProbe) -> None:
    assert probe.conditional_put(KEY, b"first").value == "v1"
    second = probe.conditional_put(KEY, b"second")
    assert second.error is not None
    assert (second.error.status, second.error.code) == (412, "PreconditionFailed")
    assert shelf.content[f"/{STORE.bucket}/{KEY}"] == b"first"


@pytest.mark.parametrize(("said", "status"), [("", "Off"), ("Enabled", "Enabled"), ("Suspended", "Suspended")])
def test_whether_a_bucket_keeps_versions(shelf: Served, probe: StoreProbe, said: str, status: str) -> None:
    shelf.versioning = said
    assert probe.versioning().value == status


@pytest.mark.parametrize("key", ["someone", ""])
def test_a_stranger_signs_nothing(shelf: Served, store: Store, key: str) -> None:
    with closing(StoreProbe(replace(store, access_key=key))) as asked:
        asked.put(KEY, b"")
        asked.conditional_put(KEY, b"")
    assert shelf.signed == [bool(key)] * 2


def test_a_store_that_hangs_up_is_asked_once(shelf: Served, probe: StoreProbe) -> None:
    shelf.manner = HANGS_UP
    for answer in (probe.put(KEY, b""), probe.conditional_put(KEY, b"")):
        assert answer.error is not None
        assert answer.error.code == "reset"
    assert len(shelf.asked) == 2


def test_a_reading_begins_and_can_be_dropped(shelf: Served, probe: StoreProbe) -> None:
    shelf.content[f"/{STORE.bucket}/{KEY}"] = b"begin" + b"x" * 100_000
    reading = probe.begin_to_read(KEY)
    assert not reading.answer.closed
    assert reading.answer.read(2) == b"eg"
    reading.drop()
    assert reading.answer.closed
    with pytest.raises(AcceptanceError, match=f"{KEY}-not cannot be read at {shelf.address}: .*NoSuchKey"):
        probe.begin_to_read(f"{KEY}-not")


def test_rules_that_remove_versions_are_told_and_a_bucket_without_any_has_none(shelf: Served, probe: StoreProbe) -> None:
    assert probe.expiring_rules().value == ()
    shelf.lifecycle = EXPIRING
    assert probe.expiring_rules().value == ("rule old on all objects removes old versions after 7 days",)


@pytest.mark.parametrize("last_byte", [True, False])
@pytest.mark.parametrize("new_key", [True, False])
def test_of_sixteen_writers_one_wins_each_round(shelf: Served, store: Store, *, new_key: bool, last_byte: bool) -> None:
    seen = race(store, [shelf.address, shelf.address], STORE.own, Racing(new_key, last_byte, LONG, most=3))
    assert (seen.winners, seen.others) == ([1, 1, 1], set())
    assert 0 < seen.spread < LONG.total_seconds()
    left = [f"/{STORE.bucket}/{STORE.own}race-{number}" for number in range(3)] if new_key else []
    assert sorted(shelf.content) == left
    assert len([line for line in shelf.asked if line.startswith("PUT")]) == 3 * WRITERS


@pytest.mark.parametrize(("last_byte", "begun"), [(True, b"PUT /x HTTP/1.1\r\n\r\ncontent"[:-1]), (False, b"")])
def test_what_of_a_request_is_held_back_at_the_barrier(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, last_byte: bool, begun: bytes
) -> None:
    request, sent = b"PUT /x HTTP/1.1\r\n\r\ncontent", list[bytes]()
    ours, theirs = socket.socketpair()

    def waits(_store: Store, _node: Address, first: bytes, _barrier: threading.Barrier) -> socket.socket:
        sent.append(first)
        return ours

    monkeypatch.setattr(lock_race, "_at_the_barrier", waits)
    with theirs:
        theirs.sendall(b"HTTP/1.1 412 Precondition Failed\r\n\r\n")
        before = time.monotonic()
        status, moment = lock_race._send(store, store.endpoint, request, threading.Barrier(1), last_byte=last_byte)
        sent.append(theirs.recv(1000))
    assert (status, sent) == (412, [begun, request[len(begun) :]])
    assert before <= moment <= time.monotonic()


def test_a_connection_that_is_not_trusted_is_closed(shelf: Served, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []

    class Distrust:
        def wrap_socket(self, link: socket.socket, server_hostname: str) -> socket.socket:
            assert server_hostname == "127.0.0.1"
            assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            opened.append(link)
            msg = "not trusted"
            raise OSError(msg)

    monkeypatch.setattr(lock_race, "context_for", lambda _: Distrust())
    seen = race(replace(store, secure=True), [shelf.address], STORE.own, Racing(new_key=True, last_byte=True, lasts=LONG, most=1))
    assert f"OSError at {shelf.address}: not trusted" in seen.others
    assert {each.fileno() for each in opened} == {-1}


def test_the_race_ends_with_its_time(shelf: Served, store: Store) -> None:
    seen = race(store, [shelf.address], STORE.own, Racing(new_key=True, last_byte=False, lasts=timedelta(milliseconds=1)))
    assert seen.winners == [1]
    assert race(store, [shelf.address], STORE.own, Racing(new_key=True, last_byte=False, lasts=timedelta())).winners == []


@pytest.mark.parametrize(
    ("manner", "winners", "others"),
    [
        (ALL_GRANTED, WRITERS, set()),
        (FORBIDDEN, 0, {"HTTP 403"}),
        (HANGS_UP, 0, {"ConnectionResetError at {}: the connection ended without an answer"}),
        (GARBAGE, 0, {"Unreadable at {}: no answer in HTTP: b'220 ready\\r\\n'"}),
    ],
)
def test_a_store_that_cannot_lock_is_told(shelf: Served, store: Store, manner: str, winners: int, others: set[str]) -> None:
    shelf.manner = manner
    seen = race(store, [shelf.address], STORE.own, Racing(new_key=True, last_byte=True, lasts=LONG, most=1))
    assert seen.winners == [winners]
    assert seen.others == {each.format(shelf.address) for each in others}


def test_a_node_that_refuses_connections_is_named(shelf: Served, store: Store) -> None:
    with served_shelf() as other:
        away = other.address
    seen = race(store, [shelf.address, away], STORE.own, Racing(new_key=True, last_byte=False, lasts=LONG, most=1))
    assert seen.winners == [0]
    assert any(each.startswith(f"ConnectionRefusedError at {away}: ") for each in seen.others)
    assert any(each.startswith("not begun at ") for each in seen.others)
    assert seen.spread == 0
