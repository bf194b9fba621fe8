"""The store probe where no store is needed: content, order, and what the network does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer

import pytest

from model.errors import Unreadable
from model.lab import Store
from model.topology import Address
from probes.snapshots import ObjectVersion, StateSnapshot, newest_first
from probes.store import StoreProbe
from tests.serving import ANY_PORT, Quiet, serving

STATE = {
    "version": 4,
    "serial": 7,
    "lineage": "1d4fa5e3",
    "outputs": {"value": {"value": "v1", "type": "string"}},
    "resources": [
        {"mode": "managed", "instances": [{}, {}]},
        {"mode": "managed", "instances": [{}]},
        {"mode": "data", "instances": [{}]},
    ],
}


def probe(address: Address) -> StoreProbe:
    return StoreProbe(Store(address, "tofu-state", "someone", "some-secret"), within=timedelta(milliseconds=500))


def test_a_state_is_read() -> None:
    raw = json.dumps(STATE).encode()
    snapshot = StateSnapshot.from_json(raw, "v-1")
    assert (snapshot.serial, snapshot.lineage, snapshot.resources, snapshot.outputs) == (7, "1d4fa5e3", 3, {"value": "v1"})
    assert (snapshot.raw, snapshot.version_id) == (raw, "v-1")


OF_ANOTHER_SHAPE = [
    {"resources": [1]},
    {"resources": 5},
    {"resources": [{"mode": "managed", "instances": 5}]},
    {"outputs": ["x"]},
    {"outputs": {"x": 1}},
]


@pytest.mark.parametrize("part", OF_ANOTHER_SHAPE)
def test_a_state_of_another_shape_is_told(part: dict[str, object]) -> None:
    with pytest.raises(Unreadable, match="no state: its resources or outputs: "):
        StateSnapshot.from_json(json.dumps(STATE | part).encode())


def test_what_values_are_is_not_told_with_a_state_and_a_version_is_the_newest_unless_it_is_said() -> None:
    snapshot = StateSnapshot.from_json(json.dumps(STATE).encode())
    assert "outputs" not in repr(snapshot)
    assert "raw" not in repr(snapshot)
    version = ObjectVersion("a")
    assert (version.is_latest, version.size) == (True, 0)


@pytest.mark.parametrize("raw", [b"", b"garbage", b"[]", b"{}", b'{"serial": 1}'])
def test_what_is_no_state_is_told(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"no state|Expecting value"):
        StateSnapshot.from_json(raw)


def test_versions_are_ordered_with_markers_among_them() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def version(number: int, *, marker: bool = False, latest: bool = False, key: str = "a") -> ObjectVersion:
        return ObjectVersion(key, str(number), latest, marker, now + timedelta(milliseconds=number))

    listed = [version(4), version(1), version(9, key="b"), version(5, marker=True, latest=True), version(2, marker=True)]
    assert [each.version_id for each in newest_first(listed)] == ["5", "4", "2", "1", "9"]


def test_a_refused_store_is_an_answer(refused: Address) -> None:
    asked = probe(refused)
    for answer in (
        asked.bucket_exists(),
        asked.conditional_put("acceptance/x/y", b""),
        asked.state("acceptance/x/y"),
        asked.keys("acceptance/"),
    ):
        assert answer.error is not None
        assert (answer.value, answer.error.code, answer.error.status) == (None, "refused", None)
    asked.close()


def test_a_silent_store_is_an_answer(silent: Address) -> None:
    asked = probe(silent)
    for answer in (asked.versioning(), asked.conditional_put("acceptance/x/y", b"")):
        assert answer.error is not None
        assert answer.error.code == "silent"
    asked.close()


@pytest.mark.parametrize("prefix", ["", "acceptance", "acceptance/", "production/x/", "acceptance//"])
def test_only_our_own_objects_can_be_removed(refused: Address, prefix: str) -> None:
    with pytest.raises(ValueError, match="acceptance/<run id>/"):
        probe(refused).remove_all(prefix)


def test_a_probe_does_not_show_its_secret(refused: Address) -> None:
    asked = probe(refused)
    assert "some-secret" not in repr(asked) + repr(asked.store)


class NoVersions(Quiet):
    """A store that knows no versions, with one object."""

    def do_GET(self) -> None:
        status, body = 200, "<Name>tofu-state</Name><Contents><Key>acceptance/x</Key><Size>2</Size></Contents>"
        if "versions" in self.path:
            status, body = 501, "<Code>NotImplemented</Code><Message>not here</Message>"
        name = "ListBucketResult" if status == 200 else "Error"
        content = f"<{name}>{body}</{name}>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Refusing(Quiet):
    """A balancer that keeps connections, before a store that refuses: it awaits a body also after the refusal."""

    protocol_version = "HTTP/1.1"

    def handle_expect_100(self) -> bool:
        getattr(self, f"do_{self.command}", self.do_not_understand)()
        return False

    def do_not_understand(self) -> None:
        self.send_error(400, f"an unsupported API call for method {self.command}")

    def do_PUT(self) -> None:
        content = b"<Error><Code>PreconditionFailed</Code><Message>there is one</Message></Error>"
        self.send_response(412)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.rfile.read(int(self.headers["Content-Length"]))


def test_who_is_refused_may_ask_again() -> None:
    with serving(ThreadingHTTPServer(ANY_PORT, Refusing)) as address:
        asked = probe(address)
        answers = [asked.conditional_put("acceptance/x/y", b"{}") for _ in range(3)]
        asked.close()
    assert [answer.error.status if answer.error else "granted" for answer in answers] == [412, 412, 412]


@pytest.fixture
def without_versions() -> Iterator[Address]:
    with serving(ThreadingHTTPServer(ANY_PORT, NoVersions)) as address:
        yield address


def test_where_a_store_knows_no_versions_its_objects_are_listed(without_versions: Address) -> None:
    asked = probe(without_versions)
    found = asked.versions("acceptance/")
    asked.close()
    assert found.value is not None, found.error
    assert [(each.key, each.version_id, each.is_latest, each.is_delete_marker) for each in found.value] == [
        ("acceptance/x", "", True, False)
    ]
