"""Objects in the store: locks, states and leases are read as they were written, or refused in our own words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import Unreadable
from probes.lease_holder import Held, Holder
from probes.lock_error import LockInfo
from probes.snapshots import Entity, StateSnapshot
from tests.unit.properties.damage import WORDS, damaged_bytes, read_or_refused

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
LOCKS = st.builds(LockInfo, *[WORDS] * 6, info=st.just(""))
STATES = st.fixed_dictionaries(
    {
        "version": st.just(4),
        "serial": st.integers(0, 2**63),
        "lineage": WORDS,
        "outputs": st.dictionaries(WORDS, st.fixed_dictionaries({"value": JSON}), max_size=2),
        "resources": st.lists(
            st.fixed_dictionaries({"mode": st.sampled_from(["managed", "data"]), "instances": st.lists(st.just({}), max_size=3)}),
            max_size=3,
        ),
    }
)
HOLDERS = st.builds(Holder, WORDS, WORDS, st.integers(1), WORDS, st.floats(0, 1e6), st.integers(0))


def lock_object(lock: LockInfo) -> bytes:
    """As OpenTofu writes it."""
    names = {
        "ID": lock.id,
        "Path": lock.path,
        "Operation": lock.operation,
        "Who": lock.who,
        "Version": lock.version,
        "Created": lock.created,
    }
    return json.dumps({**names, "Info": lock.info}, ensure_ascii=False).encode()


@st.composite
def retyped(draw: st.DrawFn, content: bytes) -> bytes:
    """The same JSON with one value of another kind."""
    data = json.loads(content)
    data[draw(st.sampled_from(sorted(data)))] = draw(JSON)
    return json.dumps(data).encode()


@given(LOCKS)
def test_a_lock_object_is_read_as_it_was_written(lock: LockInfo) -> None:
    assert LockInfo.from_json(lock_object(lock)) == lock


@given(LOCKS.flatmap(lambda lock: st.tuples(st.just(lock), damaged_bytes(lock_object(lock)) | retyped(lock_object(lock)))))
def test_a_damaged_lock_object_names_no_other_holder(given_: tuple[LockInfo, bytes]) -> None:
    lock, content = given_
    found = read_or_refused(lambda: LockInfo.from_json(content), "lock object")
    if found is not None:
        said = {name.lower(): value for name, value in json.loads(content).items()}
        assert found.id
        assert vars(found) == {name: said.get(name, "") for name in vars(lock)}


@given(STATES)
def test_a_state_is_read_as_it_was_written(data: dict[str, Any]) -> None:
    found = StateSnapshot.from_json(json.dumps(data).encode())
    managed = [each for each in data["resources"] if each["mode"] == "managed"]
    assert (found.serial, found.lineage) == (data["serial"], data["lineage"])
    assert found.resources == sum(len(each["instances"]) for each in managed)
    assert found.managed == managed
    assert found.outputs.keys() == data["outputs"].keys()


@given(STATES.map(lambda data: json.dumps(data, ensure_ascii=False).encode()).flatmap(lambda raw: damaged_bytes(raw) | retyped(raw)))
def test_a_damaged_state_is_refused_or_whole(content: bytes) -> None:
    found = read_or_refused(lambda: StateSnapshot.from_json(content), "state")
    if found is not None:
        data = json.loads(content)
        assert (found.serial, found.lineage) == (data["serial"], data["lineage"])
        assert type(data["serial"]) is int
        assert len(found.managed) <= len(data.get("resources") or ())


@given(HOLDERS)
def test_a_lease_is_read_as_it_was_written(holder: Holder) -> None:
    assert Holder.from_json(holder.as_json()) == holder


@given(HOLDERS.flatmap(lambda holder: damaged_bytes(holder.as_json()) | retyped(holder.as_json())))
def test_a_damaged_lease_is_refused_or_can_be_used(content: bytes) -> None:
    found = read_or_refused(lambda: Holder.from_json(content), "lease")
    if found is not None:
        assert isinstance(Held(found, Entity(content, "", "", timedelta())).left, timedelta)
        assert isinstance(replace(found, renewed=found.renewed + 1), Holder)
        assert Holder.from_json(found.as_json()) == found


@pytest.mark.parametrize("content", [b'{"ID": "a", "Who": null}', b'{"ID": 5}', b'{"ID": ["a"]}', b'{"ID": "a", "ID": "b"}'])
def test_a_lock_object_of_other_kinds_of_values_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable, match="no lock object"):
        LockInfo.from_json(content)
