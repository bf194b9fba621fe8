"""A lab that is only a name, also here."""

from __future__ import annotations

from tests.unit.history.conftest import lab

__all__ = ["lab"]
