"""Kinds of faults make themselves known; two never share a title, and none goes without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults import fault as module
from faults.fault import Fault
from faults.power import PlugPulled
from faults.registry import kinds
from model.lab import Ability


@pytest.fixture(autouse=True)
def unchanged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kinds that a test makes are not known after it."""
    kinds()
    before = dict(module.KINDS)
    yield
    module.KINDS.clear()
    module.KINDS.update(before)


def test_every_kind_is_found_without_a_list() -> None:
    found = kinds()
    assert found["plug pulled"] is PlugPulled
    assert len(found) >= 16
    assert all(kind.__module__.startswith("faults.") for kind in found.values())
    assert all(isinstance(kind.ability, Ability) and kind.__doc__ for kind in found.values())


def test_a_new_kind_is_known_at_once() -> None:
    class Unheard(PlugPulled):
        title = "never heard of"

    assert kinds()["never heard of"] is Unheard


def test_a_title_is_taken_once() -> None:
    with pytest.raises(TypeError, match="has the title of PlugPulled: 'plug pulled'"):
        type("Other", (PlugPulled,), {"title": "plug pulled", "__module__": __name__})


def test_a_kind_that_can_strike_needs_a_title_of_its_own() -> None:
    nameless = type("Nameless", (PlugPulled,), {"__module__": "faults.nameless"})
    try:
        with pytest.raises(TypeError, match="Nameless has no title of its own"):
            kinds()
    finally:
        nameless.__module__ = "elsewhere"
    assert issubclass(nameless, Fault)
