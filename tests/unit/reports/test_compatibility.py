"""The record beside what the official compatibility kit says Cucumber writes of the same features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.reports.told import Told, check_schema, lines_of, without_ids
from tests.unit.verdicts.inner import Inner, project, run

KIT = Path(__file__).parent / "data/cck"
NAMES = ["minimal", "rules-backgrounds", "examples-tables", "undefined", "skipped", "attachments", "data-tables"]

LENIENT = """
import dataclasses, model.features
filled = model.features._filled
model.features._filled = lambda *arguments: dataclasses.replace(filled(*arguments), defects=())
model.features.Scenario.fits = lambda *arguments: True

def pytest_configure(config):
    for tag in ("passing", "failing"):
        config.addinivalue_line("markers", tag + ": a tag of the kit")
"""
"""The kit's features prove no check and have scenarios without a Then, which the suite refuses by itself."""

STEPS = """
@given(parsers.parse("I have {count:d} cukes in my belly"))
def belly(count): pass

@given(parsers.parse('an order for "{thing}"'))
def order(thing): pass

@when("an action")
def action(): pass

@then("an outcome")
def outcome(): pass

@given(parsers.parse("there are {count:d} cucumbers"), target_fixture="cucumbers")
def cucumbers(count): return [count]

@given(parsers.parse("there are {count:d} friends"), target_fixture="friends")
def friends(count): return count

@when(parsers.parse("I eat {count:d} cucumbers"))
def eat(cucumbers, count): cucumbers[0] -= count

@then(parsers.parse("I should have {count:d} cucumbers"))
def have(cucumbers, count): assert cucumbers[0] == count

@then(parsers.parse("each person can eat {count:d} cucumbers"))
def share(cucumbers, friends, count): assert cucumbers[0] // (1 + friends) == count

@given("an implemented step")
def implemented(): pass

@given("a step that will be skipped")
def later(): pass

@given("a step that does not skip")
def does_not(): pass

@given("a step that is skipped")
def is_skipped(): pass

@given("I skip a step")
def skip(): raise AbilityMissing("skipped")

@when("the following table is transposed:", target_fixture="transposed")
def transpose(datatable): return [list(row) for row in zip(*datatable)]

@then("it should be:")
def should_be(transposed, datatable): assert transposed == datatable

def keep(aftermath, name, content):
    @aftermath.evidence
    def write(folder): (folder / name).write_bytes(content)

@when(parsers.parse('the string "{text}" is attached as "{kind}"'))
def attach(aftermath, text, kind): keep(aftermath, "attached.txt", text.encode())

@when(parsers.parse('the string "{text}" is logged'))
def log(measure, text): measure(text, 1, "times")

@when("text with ANSI escapes is logged")
def ansi(measure): measure("\\x1b[31mred\\x1b[0m", 1, "times")

@when(parsers.parse('the following string is attached as "{kind}":'))
def attach_docstring(aftermath, docstring, kind): keep(aftermath, "attached.json", docstring.encode())

@when(parsers.parse('an array with {count:d} bytes is attached as "{kind}"'))
def attach_bytes(aftermath, count, kind): keep(aftermath, "attached.bin", bytes(range(count)))

@when("a PDF document is attached and renamed")
def attach_pdf(aftermath): keep(aftermath, "renamed.pdf", b"%PDF-1.4\\n\\xd3\\xeb\\xe9\\xe1")

@when(parsers.parse('a link to "{place}" is attached'))
def attach_link(aftermath, place): keep(aftermath, "large.txt", b"x" * 100_000)

@when(parsers.parse('the string "{text}" is attached as "{kind}" before a failure'))
def attach_and_fail(aftermath, text, kind):
    keep(aftermath, "attached.txt", text.encode())
    raise PromiseBroken("whoops")
"""


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Inner:
    folder = project(
        tmp_path_factory.mktemp("kit"), LENIENT + STEPS, **{name: (KIT / f"{name}.feature").read_text(encoding="utf-8") for name in NAMES}
    )
    return run(folder)


@pytest.fixture(scope="module")
def ours(inner: Inner) -> Told:
    return Told(lines_of(inner.latest / "messages.ndjson"))


def theirs(name: str) -> Told:
    return Told(lines_of(KIT / f"{name}.ndjson"))


def of(told: Told, kind: str, name: str) -> list[dict[str, Any]]:
    found = [dict(each) for each in told.by_kind[kind] if each["uri"].endswith(f"/{name}.feature")]
    return [{**without_ids(each), "uri": name} for each in found]


def test_every_line_is_of_the_schema(ours: Told) -> None:
    check_schema(ours.messages)
    ours.check_order()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["source", "gherkinDocument", "pickle"])
def test_features_are_told_alike(ours: Told, name: str, kind: str) -> None:
    assert of(ours, kind, name) == of(theirs(name), kind, name)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "undefined"])
def test_steps_have_the_same_results(ours: Told, name: str) -> None:
    assert ours.statuses(uri=f"/{name}.feature") == theirs(name).statuses()


def test_a_scenario_with_an_undefined_step_is_refused_before_it_touches_the_lab(ours: Told) -> None:
    wanted = theirs("undefined").statuses()
    assert ["PASSED", "UNDEFINED"] in wanted.values()
    for title, statuses in ours.statuses(uri="/undefined.feature").items():
        assert statuses == ["SKIPPED" if status == "PASSED" else status for status in wanted[title]]
    undefined = [step for case in ours.cases.values() for step in case["testSteps"] if step.get("stepDefinitionIds") == []]
    assert len(undefined) == sum(statuses.count("UNDEFINED") for statuses in wanted.values())


@pytest.mark.parametrize("name", NAMES)
def test_messages_come_in_the_same_order(ours: Told, name: str) -> None:
    """Of one scenario: the test case, its attempt, each step begun and ended, the end."""
    for told in (ours, theirs(name)):
        for attempt in told.attempts:
            kinds = [
                kind
                for message in told.messages
                for kind, data in message.items()
                if attempt in {data.get("id"), data.get("testCaseStartedId")} and kind != "attachment"
            ]
            assert (kinds[0], kinds[-1]) == ("testCaseStarted", "testCaseFinished")
            assert kinds[1:-1] == ["testStepStarted", "testStepFinished"] * ((len(kinds) - 2) // 2)


def test_attachments_have_the_same_form(ours: Told) -> None:
    """Texts go along as in the kit; bytes and large texts lie beside the record and are linked, where the kit has them in base64."""
    wanted = {each["mediaType"]: each for each in theirs("attachments").by_kind["attachment"]}
    found = [each for each in ours.by_kind["attachment"] if "vnd.tofu-ha-acceptance" not in each["mediaType"]]
    links = {each["fileName"]: each["body"] for each in found if each["mediaType"] == "text/uri-list"}
    assert set(links) == {"attached.bin", "renamed.pdf", "large.txt"} | ({"attached.bin"} & set(links))
    for each in found:
        model = wanted["text/uri-list" if each["mediaType"] == "text/uri-list" else "text/x.cucumber.log+plain"]
        assert each["contentEncoding"] == model["contentEncoding"] == "IDENTITY"
        assert model.keys() - {"timestamp"} <= each.keys()
    logged = [each["body"] for each in found if each["mediaType"] == "text/x.cucumber.log+plain"]
    assert "hello 1 times" in logged
    assert any("\x1b[31mred" in body for body in logged)
    embedded = {each["body"] for each in found if each.get("fileName", "").startswith("attached.")}
    assert {"hello", '{"message": "The <b>big</b> question", "foo": "bar"}'} <= embedded


def test_what_was_not_run_is_no_success(inner: Inner, ours: Told) -> None:
    """The kit calls a run with skipped steps a success."""
    assert inner.code == 1, inner.out
    assert ours.by_kind["testRunFinished"][0]["success"] is False
    assert theirs("skipped").by_kind["testRunFinished"][0]["success"] is True


def test_the_kit_itself_passes_our_reading() -> None:
    for name in NAMES:
        check_schema(theirs(name).messages)
        theirs(name).statuses()
        assert json.loads((KIT / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()[0])["meta"]
