"""A state and its history, read from the store's bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from model.errors import Unreadable
from probes.json_objects import read_object, value_of

STATE = "state"


@dataclass(frozen=True)
class StateSnapshot:
    """A state at one time.

    Attributes:
        serial: Counts changes.
        lineage: Names the state's line of descent.
        resources: Number of managed resource instances.
        outputs: Values of the outputs.
        raw: As stored.
        version_id: Of the object; empty where the bucket keeps no versions.
    """

    serial: int
    lineage: str
    resources: int
    outputs: dict[str, Any] = field(default_factory=dict, repr=False)
    raw: bytes = field(default=b"", repr=False)
    version_id: str = ""

    @property
    def managed(self) -> list[dict[str, Any]]:
        """The managed resources as they are stored, with all attributes of each instance."""
        return [each for each in json.loads(self.raw).get("resources") or () if each.get("mode") == "managed"]

    @classmethod
    def from_json(cls, raw: bytes, version_id: str = "") -> StateSnapshot:
        """Read a state file, format 4 (`internal/states/statefile/version4.go`).

        Raises:
            Unreadable: It is no state.
        """
        data = read_object(raw, STATE)
        serial, lineage = value_of(data, "serial", int, STATE), value_of(data, "lineage", str, STATE)
        try:
            instances = sum(len(each.get("instances", ())) for each in data.get("resources") or () if each.get("mode") == "managed")
            outputs = {name: output.get("value") for name, output in (data.get("outputs") or {}).items()}
        except (AttributeError, TypeError) as error:
            raise Unreadable(f"no {STATE}: its resources or outputs: {error}") from error
        return cls(serial, lineage, instances, outputs, raw, version_id)


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object, or a delete marker.

    Attributes:
        key: The object's.
        version_id: Empty where the bucket keeps no versions.
        is_latest: Whether a plain read gives this one.
        is_delete_marker: Whether it says that the object was deleted.
        modified: When, by the store's clock.
        size: In bytes.
    """

    key: str
    version_id: str = ""
    is_latest: bool = True
    is_delete_marker: bool = False
    modified: datetime | None = None
    size: int = 0


@dataclass(frozen=True)
class Entity:
    """An object as it was read.

    Attributes:
        content: All of it.
        etag: What `If-Match` asks for.
        version_id: Empty where the bucket keeps no versions.
        age: Since it was written, by the store's own clock.
    """

    content: bytes
    etag: str
    version_id: str
    age: timedelta


@dataclass(frozen=True)
class StateVersion:
    """One version in the history of a state.

    Attributes:
        version: The object's.
        snapshot: The state; None for a delete marker or content that is no state.
    """

    version: ObjectVersion
    snapshot: StateSnapshot | None = None


def newest_first(versions: Iterable[ObjectVersion]) -> tuple[ObjectVersion, ...]:
    """Order versions by key, then newest first; minio-py names all delete markers of a page after all versions.

    Args:
        versions: As listed; those of one key with one time stamp keep their order.
    """
    long_ago = datetime.min.replace(tzinfo=UTC)
    by_time = sorted(versions, key=lambda each: (each.is_latest, each.modified or long_ago), reverse=True)
    return tuple(sorted(by_time, key=lambda each: each.key))
