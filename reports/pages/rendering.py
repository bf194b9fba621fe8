"""How a page is made: Jinja2 with everything escaped, and our own style and script put into the page itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from model.secrets import SECRETS
from model.verdicts import Verdict

TEMPLATES = Path(__file__).parents[1] / "templates"

SIGNS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.INCONCLUSIVE: "?", Verdict.NOT_RUN: "⊘"}
"""A verdict is told by a sign and a word; colour only helps."""

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
    environment.globals["asset"] = _asset
    return SECRETS.mask(environment.get_template(template).render(values))


def _asset(name: str) -> Markup:
    """Style or script of our own, as it stands in its file."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file, no data


def as_code(text: str) -> Markup:
    """Show what stands between backquotes as code, as the guide does."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # an odd backquote is one that somebody meant
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts))


@dataclass(frozen=True)
class Part:
    """A piece of a sentence: a slot that a row of a table fills, or plain words."""

    text: str
    slot: bool


def slots(text: str) -> list[Part]:
    """Take a sentence apart at its slots (`<how>`)."""
    pieces = re.split(r"<(.+?)>", text)
    return [Part(piece, slot=bool(number % 2)) for number, piece in enumerate(pieces) if piece]
