"""What all tests of the suite itself rely on."""

from __future__ import annotations

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register a marker; let Ctrl-C reach runs that tests start: a shell has background jobs ignore it, and children inherit that."""
    config.addinivalue_line("markers", "proof: takes longer than it tells everybody every time; `make full` runs it, `make test` does not")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
