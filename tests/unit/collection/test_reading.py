"""What the reader of features makes of a file: names, sentences in their order, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.catalogue import Catalogue
from model.features import read_feature
from model.scenario import Scenario

CHECKLIST = """
[[check]]
id = "V1"
sentence = "It works"
source = "item 1"
"""
TEXT = """Feature: All there is

  Background:
    Given a lab

  @check:V1
  Rule: It works

    Background:
      Given a state

    Scenario: Twice
      When it is changed
      Then it is there

    Scenario: Alone
      When it is changed
      And it is read
      Then it is there

    Scenario: Twice
      When it is removed
      Then it is gone
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "checklist.toml").write_text(CHECKLIST)
    return Catalogue.load(tmp_path / "checklist.toml")


def read(folder: Path, catalogue: Catalogue, text: str, root: Path | None = None) -> list[Scenario]:
    (folder / "one.feature").write_text(text)
    return read_feature(folder / "one.feature", root or folder, catalogue)


def test_scenarios_are_named_by_their_titles_and_told_apart_where_these_are_the_same(tmp_path: Path, catalogue: Catalogue) -> None:
    names = [scenario.nodeid for scenario in read(tmp_path, catalogue, TEXT)]
    assert names == ["one.feature::twice", "one.feature::alone", "one.feature::twice_2"]


def test_a_file_outside_the_project_is_named_in_full(tmp_path: Path, catalogue: Catalogue) -> None:
    assert {scenario.file for scenario in read(tmp_path, catalogue, TEXT, tmp_path / "elsewhere")} == {str(tmp_path / "one.feature")}


def test_what_holds_for_all_comes_first_and_an_and_is_what_stands_before_it(tmp_path: Path, catalogue: Catalogue) -> None:
    alone = read(tmp_path, catalogue, TEXT)[1]
    told = [(sentence.kind, sentence.keyword, sentence.text) for sentence in alone.sentences]
    assert told == [
        ("given", "Given", "a lab"),
        ("given", "Given", "a state"),
        ("when", "When", "it is changed"),
        ("when", "And", "it is read"),
        ("then", "Then", "it is there"),
    ]


def test_a_name_that_occurs_twice_is_told_with_its_lines_and_no_others(tmp_path: Path, catalogue: Catalogue) -> None:
    first, alone, second = read(tmp_path, catalogue, TEXT)
    assert [len(each.defects) for each in (first, alone, second)] == [1, 0, 1]
    assert "'Twice' occurs on lines 12, 21; only one would run" in first.defects[0]


def test_a_rule_has_the_sentence_of_its_check(tmp_path: Path, catalogue: Catalogue) -> None:
    *_, second = read(tmp_path, catalogue, TEXT.replace("Rule: It works", "Rule: It flies"))
    assert second.defects[0] == "one.feature:7: the rule of check V1 must be named 'It works', not 'It flies'"


def test_without_a_then_nothing_would_be_observed(tmp_path: Path, catalogue: Catalogue) -> None:
    only = read(tmp_path, catalogue, "Feature: F\n  @check:V1\n  Rule: It works\n    Scenario: One\n      Given a lab\n")
    assert [each.defects for each in only] == [("one.feature:4: there is no Then, so nothing would be observed",)]
