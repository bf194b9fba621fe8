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


def unreadable(folder: Path, catalogue: Catalogue, text: str) -> str:
    """What is wrong with a file that is no feature: one scenario stands for all that it may hold."""
    (only,) = read(folder, catalogue, text)
    assert (only.nodeid, only.title) == ("one.feature::unreadable", "one.feature cannot be read")
    assert only.defects[0].startswith(f"one.feature:{only.line}: ")
    return only.defects[0]


def test_the_first_thing_that_is_no_gherkin_is_told_with_its_line(tmp_path: Path, catalogue: Catalogue) -> None:
    told = unreadable(tmp_path, catalogue, "Feature: F\n  Scenario: One\n    Given a lab\n    Nonsense\n    Then it is gone\n    Rubbish\n")
    assert told.startswith("one.feature:4: expected: #EOF, ")
    assert told.endswith("got 'Nonsense'")


def test_a_file_that_is_no_text_is_told_from_its_first_line_on(tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / "one.feature").write_bytes(b"\xff\xfe\x00")
    (only,) = read_feature(tmp_path / "one.feature", tmp_path, catalogue)
    assert only.defects[0].startswith("one.feature:1: 'utf-8' codec can't decode")
    (gone,) = read_feature(tmp_path / "two.feature", tmp_path, catalogue)
    assert gone.defects[0].startswith("two.feature:1: [Errno 2]")


def test_a_file_without_a_feature_or_a_scenario_is_told(tmp_path: Path, catalogue: Catalogue) -> None:
    assert unreadable(tmp_path, catalogue, "# nothing\n") == "one.feature:1: there is no Feature in it"
    assert unreadable(tmp_path, catalogue, "\nFeature: F\n") == "one.feature:2: there is no scenario in it"


def test_a_first_step_must_say_what_it_is(tmp_path: Path, catalogue: Catalogue) -> None:
    told = unreadable(tmp_path, catalogue, "Feature: F\n  Scenario: One\n    And a lab\n    When it is cut\n    Then it is gone\n")
    assert told == "one.feature:3: the first step must be a Given, When or Then, not 'And'"
    bare = read(
        tmp_path, catalogue, "Feature: F\n  Background:\n\n  @check:V1\n  Rule: It works\n    Scenario: One\n      Then it is there\n"
    )
    assert [each.defects for each in bare] == [()]


def test_what_is_wrong_with_tags_stands_at_the_tag_or_else_at_the_scenario(tmp_path: Path, catalogue: Catalogue) -> None:
    (only,) = read(tmp_path, catalogue, "Feature: F\n  @check:V9 @V1\n  Scenario: One\n    Then it is there\n")
    assert [defect.split(": ")[0] for defect in only.defects] == ["one.feature:2", "one.feature:2"]
    assert only.checks == ()
    (none,) = read(tmp_path, catalogue, "Feature: F\n  @smoke\n  Scenario: One\n    Then it is there\n")
    assert none.defects == ("one.feature:3: no @check tag here or on its rule, so it would prove nothing",)
    assert none.checks == ()


def test_a_name_in_angle_brackets_that_is_no_column_stays(tmp_path: Path, catalogue: Catalogue) -> None:
    text = "Feature: F\n  @check:V1\n  Scenario Outline: <a> of <b>\n    Then <a> is <b>\n\n    Examples:\n      | a   |\n      | one |\n"
    (only,) = read(tmp_path, catalogue, text)
    assert (only.title, only.sentences[0].text) == ("one of <b>", "one is <b>")


def test_a_long_title_is_cut_in_the_name_of_its_item(tmp_path: Path, catalogue: Catalogue) -> None:
    (only,) = read(tmp_path, catalogue, f"Feature: F\n  @check:V1\n  Scenario: {'x' * 200}\n    Then it is there\n")
    assert only.slug == "x" * 120
