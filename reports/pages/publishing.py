"""All pages of a run, made from its record alone; one that cannot be made is named, and the others are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from model.secrets import SECRETS
from reports.pages import front, scenarios
from reports.recorded import load

MESSAGES = "messages.ndjson"
log = logging.getLogger(__name__)


def publish(folder: Path) -> list[str]:
    """Make the pages of a run.

    Args:
        folder: Of the run, with `run.json` and `messages.ndjson`.

    Returns:
        What could not be made, and why; empty when all was.
    """

    def scenarios_page() -> None:
        if (folder / MESSAGES).exists():
            scenarios.write_scenarios(folder / MESSAGES, folder / scenarios.FILE, f"Scenarios of run {folder.name}")

    def front_page() -> None:
        front.write_front(load(folder), folder / front.FILE)

    pages: tuple[tuple[str, Callable[[], None]], ...] = ((scenarios.FILE, scenarios_page), (front.FILE, front_page))
    problems = []
    for name, make in pages:
        try:
            make()
        except Exception as error:
            log.debug("%s could not be made", name, exc_info=True)
            problems.append(SECRETS.mask(f"{name} could not be made: {type(error).__name__}: {error}"))
    return problems
