"""Keys of runners that no file lists are asked for; a runner that is silent has none, and is not asked again at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from model.errors import ControlChannelLost
from provisioning.existing import host_keys
from provisioning.existing.host_keys import ASKED_AGAIN_AFTER, PublishedHostKeys

KEY = "ssh-ed25519 AAAA"


class Runner:
    """Tells its key unless it is silent."""

    def __init__(self) -> None:
        """It answers."""
        self.silent, self.asked = False, 0

    def run(self, _command: str, **_options: object) -> SimpleNamespace:
        """Its key."""
        self.asked += 1
        if self.silent:
            raise ControlChannelLost("runner", "there is no answer")
        return SimpleNamespace(stdout=f"{KEY}\n")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(host_keys, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def runners() -> dict[str, Runner]:
    return {"runner01": Runner(), "runner02": Runner()}


@pytest.fixture
def keys(runners: dict[str, Runner]) -> PublishedHostKeys:
    return PublishedHostKeys(runners, {})  # type: ignore[arg-type]


def test_all_are_asked_once(keys: PublishedHostKeys, runners: dict[str, Runner]) -> None:
    assert dict(keys) == dict(keys) == {"runner01": KEY, "runner02": KEY}
    assert [each.asked for each in runners.values()] == [1, 1]


def test_who_is_silent_is_left_out_and_not_asked_at_once(keys: PublishedHostKeys, runners: dict[str, Runner], clock: list[float]) -> None:
    runners["runner02"].silent = True
    assert (dict(keys), len(keys), keys.get("runner02")) == ({"runner01": KEY}, 1, None)
    assert runners["runner02"].asked == 1
    runners["runner02"].silent = False
    clock[0] += ASKED_AGAIN_AFTER.total_seconds()
    assert dict(keys) == {"runner01": KEY, "runner02": KEY}


def test_who_was_made_anew_is_asked_again_at_once(keys: PublishedHostKeys, runners: dict[str, Runner]) -> None:
    runners["runner02"].silent = True
    assert "runner02" not in keys
    runners["runner02"].silent = False
    keys.forget("runner02")
    assert keys["runner02"] == KEY
