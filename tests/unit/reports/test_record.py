"""The record of every path to a verdict, alone and in two workers."""

from __future__ import annotations

import json

import pytest

from model.verdicts import Verdict
from reports.messages.reading import read
from reports.recorded import load
from reports.rejudging import rejudge
from reports.table import render
from tests.unit.reports.told import Told, check_schema, lines_of
from tests.unit.verdicts.inner import Inner, feature, project, run

STEPS = """
@when("something is measured and broken")
def measured(aftermath, measure):
    measure("out of rotation after", 4.6, "s", at_most(35), fault="plug pulled")
    aftermath.heal(lambda: None)

@then("numbers scatter")
def scatter(measure):
    for value in (1.0, 2.0, 3.0): measure("answered after", value, "s", at_most(5))
"""

PATHS = feature(
    "passes|When something is measured and broken|Then numbers scatter",
    "breaks a promise|When nothing happens|Then the promise is broken|And all is well",
    "does not recover|When it does not recover",
    "cannot tell|When the tool breaks|Then all is well",
    "skips|When the machine cannot be unplugged|Then all is well",
    "is undefined|When nobody defined this",
    "is ambiguous|When nothing happens|Then it is ambiguous",
    "no lab|When nothing happens",
    "cannot be healed|When it cannot be healed",
    "teardown breaks|When nothing happens",
    'says <script>alert("x")</script> & "quotes" 🙂 שלום|When nothing happens',
)

OUTLINE = """Feature: Rows

  @check:V2
  Rule: It breaks

    Scenario Outline: Two rows
      Given a lab
      When nothing happens
      Then the number <number> is promised

      Examples:
        | number |
        | 3      |
        | 30     |
"""


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["alone", "two workers"])
def inner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Inner:
    folder = project(
        tmp_path_factory.mktemp("record"),
        STEPS,
        paths=PATHS,
        rows=OUTLINE,
        broken="Feature: No\n  Scenario: a\n    Given a lab\n  nonsense\n",
    )
    return run(folder, "features/", *request.param)


@pytest.fixture(scope="module")
def told(inner: Inner) -> Told:
    return Told(lines_of(inner.latest / "messages.ndjson"))


def test_it_is_complete_and_of_the_schema(inner: Inner, told: Told) -> None:
    check_schema(told.messages)
    told.check_order()
    assert not (inner.latest / "parts").exists()
    assert len(told.attempts) == len(inner.verdicts) - 1, "a file that is no Gherkin has no test case"
    assert [each["source"]["uri"] for each in told.by_kind["parseError"]] == ["features/broken.feature"] * len(told.by_kind["parseError"])
    assert told.by_kind["parseError"]


def test_every_sentence_has_its_result(told: Told) -> None:
    statuses = {title.rpartition(":")[0]: found for title, found in told.statuses().items() if not title.startswith("Two")}
    assert statuses["passes"] == ["PASSED"] * 3
    assert statuses["breaks a promise"] == ["PASSED", "PASSED", "FAILED", "SKIPPED"]
    assert statuses["cannot tell"] == ["PASSED", "PENDING", "SKIPPED"]
    assert statuses["skips"] == ["PASSED", "SKIPPED", "SKIPPED"]
    assert statuses["is undefined"] == ["SKIPPED", "UNDEFINED", "SKIPPED"]
    assert statuses["is ambiguous"] == ["SKIPPED", "SKIPPED", "AMBIGUOUS"]
    assert statuses["no lab"] == ["SKIPPED"] * 3
    rows = {title: found for title, found in told.statuses().items() if title.startswith("Two")}
    assert sorted(rows.items(), key=lambda entry: int(entry[0].rpartition(":")[2])) == [
        ("Two rows:13", ["PASSED"] * 3),
        ("Two rows:14", ["PASSED", "PASSED", "FAILED"]),
    ]


def test_what_surrounds_the_sentences_are_hooks(told: Told) -> None:
    statuses = {title.rpartition(":")[0]: found for title, found in told.statuses(hooks=True).items()}
    assert statuses["does not recover"] == ["PASSED"] * 5 + ["FAILED", "PASSED", "PASSED"]
    assert statuses["no lab"] == ["PENDING", *["SKIPPED"] * 3, *["PASSED"] * 4]
    assert statuses["cannot be healed"] == ["PASSED"] * 4 + ["PENDING", "SKIPPED", "PASSED", "PASSED"]
    assert statuses["teardown breaks"][-1] == "PENDING"


def test_only_what_passed_looks_passed(inner: Inner, told: Told) -> None:
    """Whoever takes the worst of a scenario's steps, as Cucumber's tools do, never sees one as passed that we do not call so."""
    ranks = ["UNKNOWN", "PASSED", "SKIPPED", "PENDING", "UNDEFINED", "AMBIGUOUS", "FAILED"]
    rows = {title.rpartition(":")[0]: max(found, key=ranks.index) for title, found in told.statuses(hooks=True).items()}
    words = {
        "passed": {"PASSED", "PENDING"},
        "failed": {"FAILED"},
        "not run": {"SKIPPED"},
        "inconclusive": {"PENDING", "UNDEFINED", "AMBIGUOUS"},
    }
    verdicts = {title: verdict for title, verdict in inner.verdicts.items() if title in rows}
    assert len(verdicts) == len(rows) - 1, "all but the outline, whose rows have the same name here"
    assert {title: verdict for title, verdict in verdicts.items() if rows[title] not in words[verdict]} == {}
    assert {title for title, worst in rows.items() if worst == "PENDING" and verdicts[title] == "passed"} == {
        "cannot be healed",
        "teardown breaks",
    }


def test_numbers_and_results_go_along_with_their_step(told: Told) -> None:
    [passes] = [attempt for attempt in told.attempts if told.title(attempt).startswith("passes:")]
    steps = [step["id"] for step in told.attempts[passes]["testSteps"]]
    said = [each for each in told.by_kind["attachment"] if each.get("testCaseStartedId") == passes]
    numbers = [(steps.index(each["testStepId"]), each["body"]) for each in said if each["mediaType"] == "text/x.cucumber.log+plain"]
    assert numbers[0] == (2, "out of rotation after (plug pulled) 4.6 s of 35 s allowed")
    assert [place for place, _ in numbers] == [2, 3, 3, 3]
    [result] = [json.loads(each["body"]) for each in said if each["mediaType"].endswith("result+json")]
    assert result["verdict"] == "passed"


def test_how_the_run_ended_is_a_hook_too(inner: Inner, told: Told) -> None:
    ends = {each["testRunHookStartedId"]: each["result"] for each in told.by_kind["testRunHookFinished"]}
    assert ends["hook-the-run-begins-1"]["status"] == "PASSED"
    assert ends["hook-the-run-ends-1"]["status"] == "PENDING"
    assert "no answer while healing" in ends["hook-the-run-ends-1"]["message"]
    [finished] = told.by_kind["testRunFinished"]
    assert (finished["success"], inner.record["conclusion"] in finished["message"]) == (False, True)


def test_the_schema_version_is_inside(told: Told) -> None:
    [begin] = [json.loads(each["body"]) for each in told.by_kind["attachment"] if each["mediaType"].endswith("begin+json")]
    assert begin["schema_version"] == 1
    assert begin["setting"]["topology"] == "production"


def test_the_conclusion_follows_from_the_record_alone(inner: Inner) -> None:
    before = (inner.latest / "run.json").read_text(encoding="utf-8")
    (inner.latest / "run.json").unlink()
    judged = rejudge(inner.latest.resolve())
    assert (inner.latest / "run.json").read_text(encoding="utf-8") == before
    assert judged == load(inner.latest.resolve())
    assert not read(inner.latest).damage()


def test_other_thresholds_only_make_it_worse(inner: Inner) -> None:
    stricter = rejudge(inner.latest.resolve(), {"out of rotation after": 3, "answered after": 10})
    entry = next(each for each in stricter.scenarios if each.title == "passes")
    assert (entry.verdict, entry.sentence) == (Verdict.FAILED, "judged again")
    assert entry.reason == "out of rotation after (plug pulled) 4.6 s of 3 s allowed"
    rejudge(inner.latest.resolve())
    assert inner.verdicts["passes"] == "passed"


def test_unusual_letters_arrive_whole(inner: Inner, told: Told) -> None:
    title = 'says <script>alert("x")</script> & "quotes" 🙂 שלום'
    assert inner.verdicts[title] == "passed"
    assert any(told.title(attempt).startswith(title) for attempt in told.attempts)
    summary = (inner.latest / "summary.md").read_text(encoding="utf-8")
    assert "<script>" not in summary


def test_the_table_is_the_same_from_the_record(inner: Inner) -> None:
    told = render(load(inner.latest.resolve()), "x", width=140, colour=False)
    assert inner.record["conclusion"].split(";")[0] in " ".join(told.split())
