"""Rows, gate, exit code and the verdict in one line, from verdicts of scenarios."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from model.catalogue import Catalogue, Check
from model.conclusion import conclude
from model.measurements import Measurement
from model.run import Result, Run, Setting
from model.scenario import Scenario
from model.verdicts import Gate, Verdict

PASSED, NOT_RUN, INCONCLUSIVE, FAILED = Verdict.PASSED, Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.FAILED
NUMBER = Measurement("out of rotation after", 20.0, "s", None, {}, "a", ("V1",), 0.0)


def check(name: str, **changed: object) -> Check:
    return Check.model_validate({"id": name, "sentence": "It works", "source": "the guide", **changed})


def scenario(name: str, *checks: str, tags: tuple[str, ...] = (), defects: tuple[str, ...] = ()) -> Scenario:
    return Scenario(name, Path("a"), "a", 1, name, name, name, tags=frozenset(tags), checks=checks, defects=defects)


def a_run(
    universe: list[Scenario],
    verdicts: dict[str, Verdict],
    *,
    checks: tuple[Check, ...] = (check("V1"), check("V2")),
    gate: Gate = Gate.ALL,
    tier: str = "gate",
    permitted: tuple[str, ...] = (),
) -> Run:
    setting = Setting("embedded", "production", tier, gate, permitted)
    run = Run("1", Path("/r"), Path("/"), datetime(2026, 1, 1, tzinfo=UTC), Catalogue(checks), setting, universe)
    run.results = {name: Result(name, verdict, f"why {name}", seconds=2.0, measurements=[NUMBER]) for name, verdict in verdicts.items()}
    return run


ONE, TWO, THREE = scenario("one", "V1"), scenario("two", "V1"), scenario("three", "V2")
ALL = [ONE, TWO, THREE]


def test_a_run_in_which_all_holds() -> None:
    run = a_run(ALL, {"one": PASSED, "two": PASSED, "three": PASSED})
    assert conclude(run, pytest_code=0) == run.exit_code == 0
    assert (run.pytest_code, run.foreign_failures, run.gate_met) == (0, 0, True)
    assert run.conclusion == "2 of 2 checks hold."
    first = run.rows[0]
    assert (first.check.id, first.verdict, first.words, first.seconds) == ("V1", PASSED, "passed", 4.0)
    assert (first.ran, first.applicable, first.measurements, first.reasons) == (2, 2, (NUMBER, NUMBER), ())


@pytest.mark.parametrize(
    ("verdicts", "words", "ran", "reasons", "code"),
    [
        ({"one": PASSED, "two": FAILED}, "failed", 2, (), 1),
        ({"one": INCONCLUSIVE, "two": PASSED}, "inconclusive", 2, (), 10),
        ({"one": PASSED, "two": NOT_RUN}, "passed in part, 1 of 2", 1, ("why two",), 11),
        ({"one": PASSED}, "passed in part, 1 of 2", 1, ("not selected",), 11),
        ({"one": NOT_RUN, "two": NOT_RUN}, "not run", 0, ("why one", "why two"), 11),
        ({}, "not run", 0, ("not selected",), 11),
    ],
)
def test_a_check_is_the_worst_of_its_scenarios(
    verdicts: dict[str, Verdict], words: str, ran: int, reasons: tuple[str, ...], code: int
) -> None:
    run = a_run([ONE, TWO], verdicts, checks=(check("V1"),))
    assert conclude(run, pytest_code=0) == code
    assert [(row.words, row.ran, row.applicable, row.reasons) for row in run.rows] == [(words, ran, 2, reasons)]


def test_checks_that_are_not_required_here_have_no_row() -> None:
    checks = (check("V1"), check("V2", planned=True), check("V3", topologies=("single",)), check("V4", drivers=("proxmox",)))
    run = a_run([ONE], {"one": PASSED}, checks=checks)
    assert conclude(run, pytest_code=0) == 0
    assert [row.check.id for row in run.rows] == ["V1"]


def test_a_required_check_without_a_scenario_does_not_meet_the_gate() -> None:
    run = a_run([ONE], {"one": PASSED})
    assert conclude(run, pytest_code=0) == 11
    assert [(row.words, row.applicable, row.reasons) for row in run.rows][1] == ("not run", 0, ("it has no scenario",))
    assert run.conclusion == "1 of 2 checks hold; not run (it has no scenario): V2."


def test_a_check_whose_scenarios_are_of_a_larger_tier_has_no_row() -> None:
    universe = [ONE, scenario("slow", "V2", tags=("thorough",))]
    run = a_run(universe, {"one": PASSED})
    assert conclude(run, pytest_code=0) == 0
    assert [row.check.id for row in run.rows] == ["V1"]
    elsewhere = a_run([ONE, scenario("elsewhere", "V2", tags=("topology:single",))], {"one": PASSED})
    assert conclude(elsewhere, pytest_code=0) == 11
    assert [row.reasons for row in elsewhere.rows] == [(), ("it has no scenario",)]


@pytest.mark.parametrize(
    ("gate", "verdicts", "met"),
    [
        (Gate.ALL, {"calm": PASSED, "harm": PASSED}, True),
        (Gate.ALL, {"calm": PASSED, "harm": NOT_RUN}, False),
        (Gate.ALL, {"calm": PASSED}, False),
        (Gate.SELECTED, {"calm": PASSED}, True),
        (Gate.SELECTED, {"harm": PASSED, "calm": NOT_RUN}, False),
        (Gate.SELECTED, {}, False),
        (Gate.HARMLESS, {"calm": PASSED, "harm": NOT_RUN}, True),
        (Gate.HARMLESS, {"calm": NOT_RUN, "harm": PASSED}, False),
        (Gate.HARMLESS, {"harm": PASSED}, False),
    ],
)
def test_what_each_gate_asks_for(gate: Gate, verdicts: dict[str, Verdict], met: bool) -> None:
    universe = [scenario("calm", "V1"), scenario("harm", "V1", tags=("disruptive:storage",))]
    run = a_run(universe, verdicts, checks=(check("V1"),), gate=gate)
    assert conclude(run, pytest_code=0) == (0 if met else 11)
    assert run.gate_met is met


def test_harmless_gates_want_scenarios_and_every_check_to_have_some() -> None:
    harm = scenario("harm", "V1", tags=("disruptive",))
    assert conclude(a_run([harm], {"harm": NOT_RUN}, checks=(check("V1"),), gate=Gate.HARMLESS), pytest_code=0) == 11
    assert conclude(a_run([ONE], {"one": PASSED}, gate=Gate.HARMLESS), pytest_code=0) == 11, "V2 has no scenario"
    assert conclude(a_run([ONE, harm], {"one": PASSED}, checks=(check("V1"),), gate=Gate.HARMLESS), pytest_code=0) == 0
    permitted = a_run(
        [ONE, harm], {"one": PASSED}, checks=(check("V1"),), gate=Gate.HARMLESS, permitted=("runner", "balancer", "storage", "quorum")
    )
    assert conclude(permitted, pytest_code=0) == 11, "what is permitted must run"


def test_nothing_at_all_meets_no_gate() -> None:
    for gate in Gate:
        assert conclude(a_run([], {}, checks=(), gate=gate), pytest_code=0) == 11


@pytest.mark.parametrize("code", [3, 4])
def test_errors_of_pytest_and_of_usage_come_first(code: int) -> None:
    run = a_run(ALL, {"one": FAILED})
    run.interrupted = True
    assert conclude(run, pytest_code=code) == code


@pytest.mark.parametrize(("verdict", "foreign", "code"), [(PASSED, 0, 2), (FAILED, 0, 1), (PASSED, 1, 1), (INCONCLUSIVE, 0, 2)])
def test_an_interrupted_run(verdict: Verdict, foreign: int, code: int) -> None:
    run = a_run(ALL, {"one": verdict})
    run.interrupted = True
    assert conclude(run, pytest_code=2, foreign_failures=foreign) == code
    assert "; interrupted" in run.conclusion


def test_failed_tests_that_are_no_scenarios_fail_the_run() -> None:
    verdicts = {"one": PASSED, "two": PASSED, "three": PASSED}
    assert conclude(a_run(ALL, verdicts), pytest_code=1, foreign_failures=1) == 1
    run = a_run(ALL, verdicts | {"one": INCONCLUSIVE})
    assert conclude(run, pytest_code=1, foreign_failures=2) == 1
    assert run.foreign_failures == 2


def test_nothing_collected_is_told_as_pytest_does() -> None:
    assert conclude(a_run(ALL, {}), pytest_code=5) == 5
    assert conclude(a_run(ALL, {"one": PASSED, "two": PASSED, "three": PASSED}), pytest_code=5) == 0
    stopped = a_run(ALL, {})
    stopped.stopped = "no way in"
    assert conclude(stopped, pytest_code=5) == 10
    assert conclude(a_run(ALL, {}), pytest_code=6) == 11


@pytest.mark.parametrize(
    ("change", "words"),
    [({"stopped": "no way in"}, "stopped: no way in"), ({"dirty": ["a lab"]}, "the lab is dirty"), ({}, "")],
)
def test_a_run_that_was_stopped_or_leaves_dirt_is_inconclusive(change: dict[str, object], words: str) -> None:
    run = a_run(ALL, {"one": PASSED, "two": PASSED, "three": PASSED})
    for name, value in change.items():
        setattr(run, name, value)
    assert conclude(run, pytest_code=0) == (10 if change else 0)
    assert run.conclusion == "; ".join(part for part in ("2 of 2 checks hold", words) if part) + "."


def test_the_sentence_names_what_failed_and_what_nobody_saw() -> None:
    checks = tuple(check(f"V{number}") for number in range(1, 6))
    universe = [scenario(f"s{number}", f"V{number}") for number in range(1, 6)] + [scenario("more", "V5")]
    run = a_run(universe, {"s1": FAILED, "s2": INCONCLUSIVE, "s3": NOT_RUN, "s5": PASSED}, checks=checks)
    conclude(run, pytest_code=1)
    assert run.conclusion == (
        "0 of 5 checks hold; failed: V1; inconclusive: V2; not run (why s3): V3; not run (not selected): V4;"
        " passed in part (not selected): V5."
    )


def test_what_could_not_be_counted_is_told() -> None:
    run = a_run([ONE], {"one": INCONCLUSIVE, "unread": INCONCLUSIVE, "torn": INCONCLUSIVE, "gone": PASSED}, checks=(check("V1"),))
    assert conclude(run, pytest_code=1) == 10
    assert run.conclusion == "0 of 1 checks hold; inconclusive: V1; could not be read or counted: 2."
