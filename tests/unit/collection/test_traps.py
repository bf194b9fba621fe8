"""What would pass in silence is an error of its own item; the plan, and bad input."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.verdicts.inner import ROOT, Inner, feature, project, run

SOUND = "sound|When nothing happens"
BROKEN = """Feature: Broken
  Scenario: one
    Given a lab
    This is no Gherkin
"""
CONJUNCTION = """Feature: Begins in the middle
  @check:V1
  Scenario: one
    And a lab
    Then all is well
"""
OUTLINE = """Feature: Outlines

  Background:
    Given a lab

  @check:V1
  Rule: It works

    Scenario Outline: The number counts
      When nothing happens
      Then the number <number> is promised

      Examples:
        | number |
        | 4      |
        | 40     |

      @thorough
      Examples:
        | number |
        | 5      |

    Scenario Outline: There is nothing to fill in
      When nothing happens
      Then the number <number> is promised

    Scenario Outline: A tag that cannot stand here
      Then the number <number> is promised

      @topology:single
      Examples:
        | number |
        | 6      |

    Scenario Outline: The same row twice
      Then the number <number> is promised

      Examples:
        | number |
        | 7      |
        | 7      |
"""
TRAPS = {
    "duplicate": (feature(SOUND, "twice|When nothing happens", "twice|When the tool breaks"), ["lines 11, 16", "only one would run"]),
    "undefined": (feature(SOUND, "undefined|When it does something new"), ["undefined.feature:13", "no step definition for 'When it does"]),
    "kinds": (feature(SOUND, "kinds|When all is well"), ["kinds.feature:13", "(as a when)"]),
    "ambiguous": (feature(SOUND, "ambiguous|Then it is ambiguous"), ["ambiguous.feature:13", "2 step definitions", "spoken.py:"]),
    "asynchronous": (feature(SOUND, "asynchronous|Then it is awaited"), ["asynchronous.feature:13", "is async and would never run"]),
    "tag": (feature(SOUND, "@tagged|tagged|When nothing happens"), ["tag.feature:11: unknown tag @tagged", "@smoke"]),
    "check": (feature(SOUND, "@check:V99|unchecked|When nothing happens"), ["check.feature:11: unknown check in @check:V99"]),
    "planned": (feature(SOUND, "@check:B1|flies|When nothing happens"), ["planned.feature:11", "planned"]),
    "topology": (feature(SOUND, "@topology:ring|ring|When nothing happens"), ["topology.feature:11", "single, production"]),
    "ability": (feature(SOUND, "@needs:magic|magic|When nothing happens"), ["ability.feature:11", "cut-power"]),
    "silent": (
        "Feature: F\n  @check:V1\n  Rule: It works\n    Scenario: silent\n      Given a lab\n",
        ["silent.feature:4: there is no Then"],
    ),
    "unproving": ("Feature: F\n  Scenario: unproving\n    Given a lab\n    Then all is well\n", ["unproving.feature:2: no @check tag"]),
    "rule": (
        feature("misnamed|When nothing happens", check="V2"),
        ["rule.feature:4: the rule of check V2 must be named 'It breaks', not 'It works'"],
    ),
    "syntax": (BROKEN, ["syntax.feature:4: expected: ", "got 'This is no Gherkin'"]),
    "conjunction": (CONJUNCTION, ["conjunction.feature:4: the first step must be a Given, When or Then"]),
    "empty": ("", ["empty.feature:1: there is no Feature in it"]),
    "bare": ("Feature: nothing\n", ["bare.feature:1: there is no scenario in it"]),
    "outline": (
        OUTLINE,
        [
            "outline.feature:23: this outline has no examples",
            "@topology:single cannot stand on examples",
            "two rows of its examples are the same",
        ],
    ),
}


@pytest.fixture(scope="module", params=[pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.proof)])
def inner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Inner:
    """One run over all traps."""
    return run(project(tmp_path_factory.mktemp("traps"), **{name: text for name, (text, _) in TRAPS.items()}), "features/", *request.param)


@pytest.mark.parametrize("name", TRAPS)
def test_each_trap_names_its_place(inner: Inner, name: str) -> None:
    reasons = "\n".join(entry["reason"] for entry in inner.record["scenarios"] if entry["nodeid"].startswith(f"features/{name}.feature::"))
    assert [part for part in TRAPS[name][1] if part not in reasons] == [], reasons


def test_traps_hit_their_item_only(inner: Inner) -> None:
    assert inner.code == 1, "the number 40 breaks its promise"
    sound = [entry["verdict"] for entry in inner.record["scenarios"] if entry.get("title") == "sound"]
    assert sound == ["passed"] * 10
    verdicts = {entry["nodeid"].removeprefix("features/"): entry["verdict"] for entry in inner.record["scenarios"]}
    assert verdicts["outline.feature::the_number_counts[4]"] == "passed"
    assert verdicts["outline.feature::the_number_counts[40]"] == "failed"
    assert "outline.feature::the_number_counts[5]" not in verdicts
    assert verdicts["duplicate.feature::twice"] == verdicts["duplicate.feature::twice_2"] == "inconclusive"
    passed = {nodeid.partition("::")[0] for nodeid, verdict in verdicts.items() if verdict == "passed" and "::sound" not in nodeid}
    assert passed == {"outline.feature"}
    assert "Traceback" not in inner.out


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has not been run yet."""
    text = feature(SOUND, "@disruptive|pulls the plug|When nothing happens", "@thorough|hard|When nobody knows how")
    return project(tmp_path_factory.mktemp("plan"), text=text, rule=TRAPS["rule"][0])


def test_a_plan_runs_nothing(planned: Path) -> None:
    inner = run(planned, "features/", "--plan", "-n", "2")
    assert inner.code == 0, inner.out
    assert not (planned / "reports").exists()
    assert "3 scenarios, about 45 s, 1 disruptive; gate all." in inner.out
    assert "~15" in inner.out
    assert "cannot run: features/rule.feature:4" in inner.out
    assert "hard" not in inner.out
    undefined = run(planned, "features/", "--plan", "--tier", "thorough")
    assert "cannot run: features/text.feature:20: no step definition for 'When nobody knows how'" in undefined.out
    assert "acceptance" not in inner.out


def test_a_plan_knows_earlier_runs(planned: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(planned, tmp_path / "p")
    assert run(folder, "features/text.feature").code == 0
    runs = list((folder / "reports/runs").iterdir())
    inner = run(folder, "features/text.feature", "--plan")
    assert "2 scenarios, about 0 s, 1 disruptive; gate selected." in inner.out
    assert list((folder / "reports/runs").iterdir()) == runs


def test_other_tests_make_no_run(planned: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(planned, tmp_path / "p")
    (folder / "test_own.py").write_text("def test_own(): pass\n")
    (folder / "data").mkdir()
    shutil.copy(folder / "features/text.feature", folder / "data/text.feature")
    inner = run(folder, "test_own.py", "data")
    assert (inner.code, (folder / "reports").exists(), "acceptance" in inner.out) == (0, False, False), inner.out
    assert "1 passed" in inner.out
    listed = run(folder, "features/", "--collect-only", "-q")
    assert (listed.code, (folder / "reports").exists()) == (0, False), listed.out
    assert "features/text.feature::pulls_the_plug" in listed.out


def test_the_suites_own_sentences_are_all_defined_once() -> None:
    inner = run(ROOT, "features/", "--plan", "--tier", "thorough")
    assert inner.code == 0, inner.out
    assert "Nothing was run." in inner.out
    assert "cannot run" not in inner.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--lab", "moon"), "valid ones: embedded"),
        (("--lab", "mine.toml"), "there is no lab file"),
        (("--topology", "ring"), "single"),
        (("--runners", "1"), "2 to 100 runners"),
        (("--tier", "huge"), "thorough"),
        (("--keep", "sometimes"), "on-failure"),
        (("--gate", "none"), "harmless"),
        (("--patience", "0"), "not a number above 0"),
        (("--check", "V99"), "valid ones: V1, V2, V3, B1"),
        (("--check", "B1"), "it is planned"),
        (("--minio", "/nowhere/minio"), "there is no such program"),
    ],
)
def test_bad_input_is_a_usage_error_that_says_what_is_valid(planned: Path, arguments: tuple[str, ...], told: str) -> None:
    inner = run(planned, "features/", *arguments, "--plan")
    assert inner.code == 4, inner.out
    assert told in inner.out
    assert not (planned / "reports").exists()


def test_junit_elsewhere_is_in_the_folder_too(planned: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(planned, tmp_path / "p")
    inner = run(folder, "features/text.feature", "--junitxml", "mine.xml")
    assert (folder / "mine.xml").read_text() == (folder / "reports/latest/junit.xml").read_text()
    assert set(inner.junit) == {"sound", "pulls the plug"}
