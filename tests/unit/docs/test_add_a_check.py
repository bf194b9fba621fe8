"""The example of the page on how to add a check is what the suite really has."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/add-a-check.md"
WHERE = (
    "features/checklist.toml",
    "features/hardening/balancing.feature",
    "steps/fleet.py",
    "tests/faulty_labs/defects/runners.py",
)


def _in_a_row(text: str) -> str:
    """Without the indentation, which the page has other than the file."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def test_every_part_of_the_example_is_in_use() -> None:
    parts = re.findall(r"```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(parts) == len(WHERE)
    for part, file in zip(parts, WHERE, strict=True):
        assert _in_a_row(part) in _in_a_row((ROOT / file).read_text(encoding="utf-8")), (
            f"{PAGE.name} shows what {file} does not say:\n{part}"
        )
