"""What is changed about a module, which tests are asked, and what is kept of their answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.document import Row, is_equivalent, row_of
from tests.mutation.ledger import EQUIVALENT, Equivalent, Ledger, Verdict, equivalents
from tests.mutation.mutants import mutants_of
from tests.mutation.reach import LOADED, Reach
from tests.mutation.trial import ROOT, Fate

SOURCE = '''
from __future__ import annotations
from dataclasses import dataclass

@dataclass(frozen=True)
class Limit:
    """No 1 is changed here."""
    most: int | None = 5

    def holds(self, value: int, *, strict: bool = False) -> bool:
        return value < 5 and not strict
'''
KILLED = Verdict("model/tags.py", "m", "t", "AddNot:0", 3, "if a:", "if not a:", Fate.KILLED, 1.0)
SURVIVED = replace(KILLED, mutant="AddNot:1", fate=Fate.SURVIVED)


def test_only_what_is_done_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "limit.py"
    path.write_text(SOURCE, encoding="utf-8")
    found = list(mutants_of(path))
    assert {(each.line, each.becomes) for each in found} == {
        (8, "most: int | None = 6"),
        (8, "most: int | None = 4"),
        (10, "def holds(self, value: int, *, strict: bool = True) -> bool:"),
        (11, "return value <= 5 and not strict"),
        (11, "return value >= 5 and not strict"),
        (11, "return value < 5 or not strict"),
        (11, "return value < 5 and  strict"),
        (11, "return value < 6 and not strict"),
        (11, "return value < 4 and not strict"),
    }
    assert len({each.name for each in found}) == len(found)


def test_those_tests_are_asked_that_run_the_line() -> None:
    lines = {"model/tags.py": {LOADED: [1, 2], "tests/unit/b.py": [7, 8], "tests/unit/model/test_tags.py": [8]}}
    reach = Reach(lines, {"tests/unit/b.py": 0.1, "tests/unit/model/test_tags.py": 3.0, "tests/unit/model/test_verdicts.py": 1.0})
    assert reach.files("model/tags.py", 7) == ["tests/unit/b.py"]
    assert reach.files("model/tags.py", 8) == ["tests/unit/model/test_tags.py", "tests/unit/b.py"]
    assert reach.files("model/tags.py", 9) == []
    assert reach.files("model/none.py", 1) == []


def test_what_runs_on_import_concerns_all_that_use_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.py").write_text("from model.tags import TIERS\n", encoding="utf-8")
    Path("d.py").write_text("from model.tags_of_others import TIERS\n", encoding="utf-8")
    reach = Reach({"model/tags.py": {LOADED: [1], "b.py": [7]}}, {"c.py": 1.0, "d.py": 1.0})
    assert reach.files("model/tags.py", 1) == ["b.py", "c.py"]


def test_the_dead_stay_dead_and_survivors_are_tried_again_by_new_tests(tmp_path: Path) -> None:
    path = tmp_path / "results.ndjson"
    Ledger(path).add(KILLED)
    Ledger(path).add(SURVIVED)
    again = Ledger(path)
    mutant = next(iter(mutants_of(ROOT / "model" / "tags.py")))
    for verdict, by, known in [(KILLED, "t", True), (KILLED, "new", True), (SURVIVED, "t", True), (SURVIVED, "new", False)]:
        named = replace(mutant, operator=f"core/{verdict.mutant.partition(':')[0]}", occurrence=int(verdict.mutant[-1]))
        assert again.find("model/tags.py", named, "m", by) == (verdict if known else None)
        assert again.find("model/tags.py", named, "changed", by) is None


def test_a_row_counts_what_makes_no_difference_apart() -> None:
    known = [Equivalent("model/tags.py", "if a:", "if not a:", "no difference")]
    other = replace(SURVIVED, was="if b:")
    row = row_of("model/tags.py", [KILLED, KILLED, SURVIVED, other], known, date="2026-11-25", revision="abc")
    assert (row.mutants, row.killed, row.survived, row.equivalent, row.score, row.seconds) == (4, 2, 1, 1, "67 %", 4)
    assert Row.read(str(row)) == row
    assert not is_equivalent(other, known)


def test_every_equivalent_is_a_line_that_is_there() -> None:
    assert EQUIVALENT.exists()
    gone = [each for each in equivalents() if each.was not in {line.strip() for line in (ROOT / each.module).read_text().splitlines()}]
    assert gone == []
    assert all(each.why for each in equivalents())
