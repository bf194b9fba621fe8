"""A test that enters a lab's network comes back to its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from provisioning.namespaces import enter_namespace


@contextlib.contextmanager
def in_own_network() -> Iterator[None]:
    """Come back in the end."""
    with Path("/proc/thread-self/ns/net").open("rb") as own:
        try:
            yield
        finally:
            enter_namespace(own.fileno())
