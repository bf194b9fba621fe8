"""What the page of the guide as written says of its port is what is seen again."""

from __future__ import annotations

import pytest

from benchmarks.as_written.race import race
from benchmarks.as_written.record import Findings

KNOWN = Findings.load()


@pytest.mark.proof
def test_the_port_goes_to_whom_the_page_says() -> None:
    told: list[str] = []
    seen = race(1, told.append)
    assert seen["built"] == KNOWN.built
    assert seen["turned"] == KNOWN.turned
    assert set(KNOWN.reboots) >= set(seen["reboots"])
    assert len(told) == 2, "as built, and after one reboot"
