"""Progress of which nobody sees anything but the test."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from provisioning.progress import Progress


def quiet() -> tuple[Progress, StringIO]:
    """Progress, and what it says."""
    text = StringIO()
    return Progress(Console(file=text, width=200)), text
