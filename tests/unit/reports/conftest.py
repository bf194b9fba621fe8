"""The kit's features are data: nobody runs them as they are."""

from __future__ import annotations

collect_ignore = ["data"]
