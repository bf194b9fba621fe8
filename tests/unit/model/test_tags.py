"""What tags mean, and what is wrong with them."""

from __future__ import annotations

import pytest

from model.catalogue import Catalogue, Check
from model.tags import Tag, judge_tags, parse_tag

CATALOGUE = Catalogue(
    tuple(Check(id=name, sentence="It works", source="the guide", planned=planned) for name, planned in (("V1", False), ("B1", True)))
)
CHECK = parse_tag("@check:V1", 3)


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("@check:V4", "check", "V4"),
        ("@topology:single", "topology", "single"),
        ("@needs:cut-power", "needs", "cut-power"),
        ("@disruptive", "disruptive", ""),
        ("@disruptive:storage", "disruptive", "storage"),
        ("@smoke", "tier", "smoke"),
        ("@short", "tier", "short"),
        ("@thorough", "tier", "thorough"),
        ("@gate", "unknown", ""),
        ("@quick", "unknown", ""),
    ],
)
def test_meanings(name: str, kind: str, value: str) -> None:
    assert parse_tag(name, 7) == Tag(name.removeprefix("@"), kind, value, 7)


@pytest.mark.parametrize("tag", ["@topology:single", "@needs:cut-power", "@disruptive", "@disruptive:quorum", "@smoke"])
def test_tags_that_are_right(tag: str) -> None:
    assert list(judge_tags([CHECK, parse_tag(tag, 4)], CATALOGUE)) == []


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("@quick", "unknown tag @quick"),
        ("@topology:ring", "unknown topology in @topology:ring"),
        ("@needs:magic", "unknown ability in @needs:magic"),
        ("@disruptive:cable", "unknown part in @disruptive:cable"),
        ("@check:V9", "unknown check in @check:V9; the checklist has V1, B1"),
        ("@check:B1", "check B1 has a scenario, but the checklist calls it planned"),
    ],
)
def test_a_tag_that_is_wrong_is_told_with_its_line(tag: str, words: str) -> None:
    ((line, told),) = judge_tags([CHECK, parse_tag(tag, 4)], CATALOGUE)
    assert line == 4
    assert told.startswith(words)


def test_two_tiers_are_one_too_many() -> None:
    ((line, told),) = judge_tags([CHECK, parse_tag("@smoke", 4), parse_tag("@short", 5)], CATALOGUE)
    assert line == 0
    assert "more than one tier" in told
    assert list(judge_tags([CHECK, parse_tag("@smoke", 4), parse_tag("@smoke", 5)], CATALOGUE)) == []


def test_a_scenario_without_a_check_proves_nothing() -> None:
    ((line, told),) = judge_tags([parse_tag("@smoke", 4)], CATALOGUE)
    assert line == 0
    assert "no @check tag" in told
