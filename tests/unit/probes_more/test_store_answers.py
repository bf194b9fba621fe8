"""What the store probe makes of several answers: where one fails, its error is the answer, and nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import SimpleNamespace

import pytest
from minio.deleteobjects import DeleteObject

from probes.answers import UNREADABLE, Answer, StoreError
from probes.snapshots import ObjectVersion, StateSnapshot
from probes.store import StoreProbe
from tests.unit.probes_more.stand_ins import LOCK, STORE

OWN = f"{STORE.own}20260101-000000-abcd/"
DENIED, GONE = StoreError("AccessDenied", 403, "no"), StoreError("NoSuchKey", 404, "gone")


def state(serial: int) -> bytes:
    return json.dumps({"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": []}).encode()


class Listed(StoreProbe):
    """A store whose versions and contents a test gives."""

    def __init__(self, versions: Iterable[ObjectVersion] | StoreError, contents: dict[str, bytes | StoreError] | None = None) -> None:
        """Fill it."""
        super().__init__(STORE)
        self.listed, self.contents = versions, contents or {}
        self.removed: list[tuple[str, str | None]] = []
        self.refused: list[SimpleNamespace] = []
        self.client = self  # type: ignore[assignment]

    def versions(self, prefix: str) -> Answer[tuple[ObjectVersion, ...]]:
        if isinstance(self.listed, StoreError):
            return Answer(error=self.listed)
        return Answer(tuple(each for each in self.listed if each.key.startswith(prefix)))

    def state(self, key: str, version_id: str | None = None) -> Answer[StateSnapshot]:
        found = self.contents[version_id or key]
        return Answer(error=found) if isinstance(found, StoreError) else Answer(StateSnapshot.from_json(found))

    def remove_objects(self, *, bucket_name: str, delete_object_list: Iterable[DeleteObject]) -> list[SimpleNamespace]:
        assert bucket_name == STORE.bucket
        self.removed = [(each.name, each.version_id) for each in delete_object_list]
        return self.refused


def version(key: str, number: str, *, latest: bool = False, marker: bool = False) -> ObjectVersion:
    return ObjectVersion(key, number, latest, marker, None)


THERE = (version("a", "3", latest=True), version("a", "2", marker=True), version("a", "1"), version("ab", "4", latest=True, marker=True))


def test_a_plain_read_finds_what_is_newest_and_no_marker() -> None:
    assert Listed(THERE).keys("a").value == ("a",)
    assert Listed(DENIED).keys("a").error == DENIED


def test_a_history_is_told_from_its_beginning_with_markers_and_without_neighbours() -> None:
    history = Listed(THERE, {"3": state(7), "1": state(5)}).state_history("a").value
    assert history is not None
    assert [(each.version.version_id, each.snapshot and each.snapshot.serial) for each in history] == [("1", 5), ("2", None), ("3", 7)]


def test_a_version_that_is_no_state_is_told_and_one_that_cannot_be_had_is_no_history() -> None:
    odd = Listed(THERE, {"3": state(7), "1": StoreError(UNREADABLE, None, "no state")}).state_history("a").value
    assert odd is not None
    assert odd[0].snapshot is None
    assert Listed(THERE, {"3": DENIED, "1": state(5)}).state_history("a").error == DENIED
    assert Listed(DENIED).state_history("a").error == DENIED


@pytest.mark.parametrize(
    ("refused", "told"), [([], None), ([SimpleNamespace(code="AccessDenied", name=name, message="no") for name in "xy"], "x: no")]
)
def test_every_version_below_a_run_of_ours_is_removed(refused: list[SimpleNamespace], told: str | None) -> None:
    store = Listed([version(f"{OWN}a", "2", latest=True), version(f"{OWN}a", "1"), version("production", "9")])
    store.refused = refused
    answer = store.remove_all(OWN)
    assert store.removed == [(f"{OWN}a", "2"), (f"{OWN}a", "1")]
    assert (answer.value, answer.error and answer.error.message) == (None if told else 2, told)


def test_where_nothing_is_left_nothing_is_removed() -> None:
    assert Listed([]).remove_all(OWN).value == 0
    assert Listed(DENIED).remove_all(OWN).error == DENIED


@pytest.mark.parametrize(
    ("written", "removed", "expected"),
    [(Answer("7"), Answer(value=True), None), (Answer(error=DENIED), Answer(value=True), DENIED), (Answer(""), Answer(error=GONE), GONE)],
)
def test_a_trial_write_that_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, written: Answer[str], removed: Answer[bool], expected: StoreError | None
) -> None:
    store, asked = StoreProbe(STORE), []
    monkeypatch.setattr(store, "put", lambda key, content: written)

    def remove(key: str, version_id: str | None) -> Answer[bool]:
        asked.append((key, version_id))
        return removed

    monkeypatch.setattr(store, "remove", remove)
    assert store.leave_nothing(f"{OWN}probe") == expected
    assert asked == ([] if written.error else [(f"{OWN}probe", written.value or None)])


def test_who_holds_a_lock_is_read_from_the_object_beside_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    store, asked = StoreProbe(STORE), []

    def read(key: str, version_id: str | None) -> tuple[bytes, str]:
        asked.append((key, version_id))
        return LOCK, ""

    monkeypatch.setattr(store, "_read", read)
    held = store.lock_object("network").value
    assert held is not None
    assert (held.who, asked) == ("alice@workstation", [("network.tflock", None)])
    monkeypatch.setattr(store, "_read", lambda *_: (b"what", ""))
    unreadable = store.lock_object("network")
    assert unreadable.error is not None
    assert unreadable.error.code == UNREADABLE
