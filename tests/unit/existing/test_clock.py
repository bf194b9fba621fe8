"""How far a machine's clock is beside ours, whatever it took to ask."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from provisioning.existing import preflight

ASKED, ANSWERED = 1000.0, 1004.0


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("1000.5", [(True, "0.0 s beside ours")]),
        ("1003.9\n", [(True, "0.0 s beside ours")]),
        ("999.5", [(True, "0.5 s beside ours")]),
        ("1005.2", [(False, "1.2 s beside ours")]),
        ("940", []),
        ("1000.5 1000.6", []),
    ],
)
def test_what_it_took_to_ask_is_no_difference(monkeypatch: pytest.MonkeyPatch, said: str, found: list[tuple[bool, str]]) -> None:
    times = iter((ASKED, ANSWERED))
    monkeypatch.setattr(preflight, "time", SimpleNamespace(time=lambda: next(times)))

    def run(_command: str, *, timeout: timedelta) -> SimpleNamespace:
        assert timeout == preflight.WITHIN
        return SimpleNamespace(stdout=said)

    machine = SimpleNamespace(name="runner01", run=run)
    assert [(each.ok, each.found) for each in preflight._clock(machine)] == found  # type: ignore[arg-type]
