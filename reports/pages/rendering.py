"""How a page is made: Jinja2 with everything escaped, and our own style and script put into the page itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from model.secrets import SECRETS
from model.story import Status
from model.verdicts import Verdict

TEMPLATES = Path(__file__).parents[1] / "templates"

SIGNS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.INCONCLUSIVE: "?", Verdict.NOT_RUN: "⊘"}
"""A verdict is told by a sign and a word; colour only helps."""

STATUS_SIGNS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.INCONCLUSIVE: "?",
    Status.SKIPPED: "⊘",
    Status.UNDEFINED: "✗",
    Status.AMBIGUOUS: "✗",
}
"""The same for one sentence."""

IN_PART = "◐"
"""Of a check that was only run in part: not green."""

PLANNED = "○"


def render(template: str, values: Mapping[str, Any]) -> str:
    """Make a page.

    Args:
        template: Its name in `reports/templates`.
        values: What it is told; whatever is no `Markup` is escaped.

    Returns:
        HTML, secrets masked, in need of no other file.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = as_code
    environment.filters["slots"] = slots
    environment.filters["path"] = lambda path: quote(str(path))
    environment.filters["moment"] = lambda moment: f"{moment.astimezone(UTC):%d %B %Y, %H:%M} UTC".lstrip("0")
    environment.filters["duration"] = as_duration
    environment.filters["size"] = as_size
    environment.filters["as_verdict"] = Verdict
    environment.filters["status_sign"] = STATUS_SIGNS.__getitem__
    environment.globals["asset"] = _asset
    return SECRETS.mask(environment.get_template(template).render(values))


@contextmanager
def fresh_file(target: Path) -> Iterator[TextIO]:
    """Write a file beside the one that it replaces at the end: nobody sees half of a page, and a failure leaves none behind."""
    fresh = target.with_name(f".{target.name}")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            yield file
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _asset(name: str) -> Markup:
    """Style or script of our own, as it stands in its file."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file, no data


def as_code(text: str) -> Markup:
    """Show what stands between backquotes as code, as the guide does."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # an odd backquote is one that somebody meant
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts))


def as_duration(seconds: float) -> str:
    """Seconds as people say them: `48 s`, `9 min 12 s`, `1 h 03 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"  # noqa: PLR2004 - an hour


def as_size(count: int) -> str:
    """Bytes as people say them: `812 B`, `14 kB`, `3.2 MB`."""
    if count < 1000:  # noqa: PLR2004 - a kilobyte
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"  # noqa: PLR2004 - a megabyte


@dataclass(frozen=True)
class Part:
    """A piece of a sentence: a slot that a row of a table fills, or plain words."""

    text: str
    slot: bool


def slots(text: str) -> list[Part]:
    """Take a sentence apart at its slots (`<how>`)."""
    pieces = re.split(r"<(.+?)>", text)
    return [Part(piece, slot=bool(number % 2)) for number, piece in enumerate(pieces) if piece]
