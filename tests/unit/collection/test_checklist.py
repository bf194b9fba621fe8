"""The checklist of the suite itself, and the reader of features on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.catalogue import Catalogue
from model.errors import BadInput
from model.features import read_feature

ROOT = Path(__file__).parents[3]
CHECKLIST = Catalogue.load(ROOT / "features/checklist.toml")


def test_every_check_is_there_once() -> None:
    hardening = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, *range(21, 30), 31, 32, 33, 34, 35, 36, 37, 38, *range(41, 47)]
    wanted = [f"{letter}{n}" for letter, count in (("V", 8), ("T", 3), ("S", 5), ("B", 10)) for n in range(1, count + 1)]
    assert list(CHECKLIST.ids) == wanted + [f"H{n:02}" for n in hardening]


def test_where_checks_are_required() -> None:
    assert all(CHECKLIST[f"V{n}"].required_on(topology, "embedded") for n in range(1, 9) for topology in ("single", "production"))
    assert not CHECKLIST["B1"].required_on("single", "embedded")
    assert not CHECKLIST["B10"].required_on("production", "embedded")
    assert not CHECKLIST["H43"].required_on("production", "embedded")


def test_features_of_the_suite_have_no_defects() -> None:
    scenarios = [entry for path in (ROOT / "features").rglob("*.feature") for entry in read_feature(path, ROOT, CHECKLIST)]
    assert [defect for entry in scenarios for defect in entry.defects] == []


def test_a_promise_cannot_be_changed_by_who_reads_it() -> None:
    with pytest.raises(ValueError, match="frozen"):
        CHECKLIST["V1"].sentence = "something else"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[check]]\nid = "V1"\nsentence = "a"\nsource = "b"\n' * 2, "V1 is in the checklist twice"),
        ('[[check]]\nid = "V1"\nsentence = "a"\nsource = "b"\ntopologies = ["ring"]\n', "unknown topology ring"),
        ('[[check]]\nid = "V1"\nsentence = "a"\nsource = "b"\nplan = true\n', "plan"),
        ('[[check]]\nid = "x"\nsentence = "a"\nsource = "b"\n', "pattern"),
        ('[[check]]\nid = "V1"\nsentence = ""\nsource = "b"\n', "sentence"),
        ('[[check]]\nid = "V1"\nsentence = "a"\nsource = ""\n', "source"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_bad_checklist_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "checklist.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=told):
        Catalogue.load(path)
