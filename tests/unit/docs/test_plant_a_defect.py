"""The example of the page on how to plant a defect is what the suite really plants, and its command finds it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faulty_labs.__main__ import chosen

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/plant-a-defect.md").read_text(encoding="utf-8")


def _in_a_row(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def test_the_example_is_in_use() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    entries = (ROOT / "tests/faulty_labs/defects/runners.py").read_text(encoding="utf-8")
    assert _in_a_row(example) in _in_a_row(entries)


def test_its_command_plants_the_example() -> None:
    (word,) = re.findall(r"python -m tests\.faulty_labs (\w+)\n", PAGE)
    assert [defect.name for defect in chosen([word])] == ["git is missing on one runner"]


def test_every_word_of_the_page_is_a_kind_of_change() -> None:
    defects = ROOT / "tests/faulty_labs/defects"
    for module, words in (
        ("changes.py", ("only", "every", "edited", "added", "not_at_boot")),
        ("deeds.py", ("ran", "ran_on", "pulled_plug")),
    ):
        text = (defects / module).read_text(encoding="utf-8")
        for word in words:
            assert f"`{word}`" in PAGE
            assert f"def {word}(" in text
    for module in re.findall(r"`(\w+)`", PAGE.partition("that it belongs to (")[2].partition(")")[0]):
        assert (defects / f"{module}.py").exists()
