"""Objects of JSON that other programs wrote: whole and of the expected kinds, or refused."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from model.errors import Unreadable

T = TypeVar("T")
EXCERPT = 200


def read_object(content: bytes, what: str) -> dict[str, Any]:
    """Read an object of JSON.

    Args:
        content: In UTF-8, UTF-16 or UTF-32, with or without a byte order mark.
        what: What it should be, for the message.

    Raises:
        Unreadable: It is no JSON, no object, or has a name twice.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Unreadable("it has a name twice")
        return found

    try:
        data: Any = json.loads(content, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no {what}: {error}: {content[:EXCERPT]!r}") from error
    if not isinstance(data, dict):
        raise Unreadable(f"no {what}: {content[:EXCERPT]!r}")
    return data


def read_lines(text: str, what: str) -> list[dict[str, Any]]:
    """Read an object from each line that begins one; what else a program said in between is left out.

    Args:
        text: Lines of JSON.
        what: What each of them should be, for the message.

    Raises:
        Unreadable: A line is no object.
    """
    return [read_object(line.encode(errors="replace"), what) for line in text.split("\n") if line.startswith("{")]


def value_of(data: dict[str, Any], name: str, kind: type[T], what: str) -> T:
    """A value of an object.

    Args:
        data: The object.
        name: Of the value.
        kind: What it must be; a truth value is no number, and a whole number is one.
        what: What the object is, for the message.

    Raises:
        Unreadable: It is not there, or of another kind.
    """
    value = data.get(name)
    if kind is float and type(value) is int:
        return float(value)  # type: ignore[return-value]
    if type(value) is not kind:
        raise Unreadable(f"no {what}: {name} is {value!r}"[:EXCERPT])
    return value
