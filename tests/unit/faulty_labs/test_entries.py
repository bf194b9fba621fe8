"""Planted defects as data: every check that is required somewhere has one, and no entry asks for what cannot be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from model.catalogue import Catalogue
from model.features import read_features
from reports.cli.books import planted_defects
from reports.pages.book import read_book
from tests.faulty_labs.defects import DEFECTS
from tests.faulty_labs.defects.defect import NEIGHBOURS, Defect

ROOT = Path(__file__).parents[3]
CATALOGUE = Catalogue.load(ROOT / "features" / "checklist.toml")
SCENARIOS = read_features(ROOT / "features", ROOT, CATALOGUE)
DRIVER = "embedded"

every_defect = pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)


def test_every_required_check_is_turned_red_by_a_defect() -> None:
    required = {check.id for check in CATALOGUE if not check.planned and DRIVER in check.drivers}
    turned_red = {check for defect in DEFECTS for check in defect.expected}
    assert required - turned_red == set(), "plant a defect for each of these: docs/plant-a-defect.md"


def test_the_book_of_promises_prints_a_pair_for_each_that_an_embedded_lab_can_break() -> None:
    book = read_book(ROOT, planted_defects())
    assert [entry.check.id for entry in book.entries if entry.rows and not entry.planted and DRIVER in entry.check.drivers] == []


def test_no_name_is_given_twice() -> None:
    assert [name for name, count in Counter(defect.name for defect in DEFECTS).items() if count > 1] == []


def test_a_sample_is_planted_by_every_test_run() -> None:
    assert 0 < sum(defect.sampled for defect in DEFECTS) < len(DEFECTS)


@every_defect
def test_something_must_notice_and_others_must_not_mind(defect: Defect) -> None:
    assert defect.symptoms
    assert len(set(defect.healthy)) >= NEIGHBOURS
    assert not set(defect.healthy) & set(defect.expected)


@every_defect
def test_what_is_asked_for_can_be_run_on_its_lab(defect: Defect) -> None:
    fitting = [scenario for scenario in SCENARIOS if scenario.fits(defect.topology, DRIVER, "gate", CATALOGUE)]
    for check in defect.checks:
        assert CATALOGUE[check].required_on(defect.topology, DRIVER), f"{check} is not required on {defect.topology}"
    for symptom in defect.symptoms:
        titles = [scenario.title for scenario in fitting if symptom.check in scenario.checks]
        assert symptom.scenario in titles
        assert all(symptom.words), "an empty word is in every explanation"
