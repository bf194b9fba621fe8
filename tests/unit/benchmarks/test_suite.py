"""A run that is measured ends in good order when whoever measures is ended."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from benchmarks import suite

HEALS = "trap 'echo healed > {told}; exit 0' TERM; touch {begun}; while true; do sleep 0.05; done"


def test_a_run_heals_before_an_interruption_ends_us(tmp_path: Path) -> None:
    told, begun = tmp_path / "told", tmp_path / "begun"

    def interrupt() -> None:
        while not begun.exists():
            ended.wait(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    ended = threading.Event()
    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        suite.run(first=(HEALS.format(told=told, begun=begun),))
    assert told.read_text() == "healed\n"
