"""What all tests of the suite itself rely on."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("quick", max_examples=50, derandomize=True, deadline=None, database=None, print_blob=False)
settings.register_profile("intense", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quick")
"""Of properties: the same examples each time; `--hypothesis-profile intense` (`make full`) looks for new ones."""


def pytest_configure(config: pytest.Config) -> None:
    """Register a marker; let Ctrl-C reach runs that tests start: a shell has background jobs ignore it, and children inherit that."""
    config.addinivalue_line("markers", "proof: takes longer than it tells everybody every time; `make full` runs it, `make test` does not")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: of two workers none is left alone with them in the end."""
    items.sort(key=lambda item: "/faulty_labs/" not in item.nodeid or "/unit/" in item.nodeid)
