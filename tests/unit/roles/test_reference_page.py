"""The page that a reader copies says what labs run."""

from __future__ import annotations

from pathlib import Path

from model.topology import topology
from provisioning.cli.configuration import page

PAGE = Path(__file__).parents[3] / "docs/reference-configuration.md"


def test_the_page_is_what_the_templates_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(topology("production")), "write it anew: see the page's second paragraph"


def test_the_page_has_no_key_of_anybody() -> None:
    text = page(topology("production"))
    assert "ssh-ed25519" not in text
    assert "PRIVATE KEY" not in text
    assert "<RUNNERS' SECRET>" in text
