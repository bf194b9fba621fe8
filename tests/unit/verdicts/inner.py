"""A small project of its own, with the suite's plugins, fake steps and no lab; runs pytest on it in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.verdicts.forked import pytest_in

ROOT = Path(__file__).parents[3]
PATIENCE = 300
"""Seconds: a run takes a few, but many of them at once on a busy host take minutes."""

ALONE_AND_WITH_A_WORKER = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "1"), id="one worker", marks=pytest.mark.proof)]
)
"""Arguments of a run that should end alike in both ways."""

CONFTEST = """
import ast
from pathlib import Path
listed = next(node for node in ast.parse(Path({root!r}, "conftest.py").read_text()).body if isinstance(node, ast.Assign))
pytest_plugins = [name for name in ast.literal_eval(listed.value) if name in {plugins!r}] + ["spoken"]
"""
"""The root's plugins in the root's order, without those that need a lab."""

PLUGINS = [
    "reports.plan",
    "reports.recorder",
    "reports.messages.plugin",
    *(f"fixtures.{name}" for name in "options interruption traps sentences measuring collection telling verdicts gate".split()),  # noqa: SIM905 - a list of words
]

INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:cacheprovider -p no:fakepve -p no:hypothesispytest --import-mode=importlib
pythonpath = . {root}
filterwarnings = error
"""

CHECKLIST = """
[[check]]
id = "V1"
sentence = "It works"
source = "item 1"

[[check]]
id = "V2"
sentence = "It breaks"
source = "item 2"

[[check]]
id = "V3"
sentence = "It is bigger"
source = "item 3"
topologies = ["production"]

[[check]]
id = "B1"
sentence = "It flies"
source = "nowhere"
planned = true
"""

SPOKEN = """
import os, signal, time, threading, warnings
from pathlib import Path
import pytest
from pytest_bdd import given, parsers, then, when
from model.errors import AbilityMissing, ControlChannelLost, DeadlineMissed, LabUnavailable, PromiseBroken
from model.measurements import at_most
from model.secrets import SECRETS

SECRET = SECRETS.register("hunter2-and-more")


@given("a lab")
def a_lab(): pass

@given("a lab that came defective")
def defective(): raise PromiseBroken("expected three runners, observed two")

@given("an assertion of ours fails")
def ours(): assert 1 == 2, "we counted wrong"

@when("nothing happens")
def nothing(): pass

@when("the tool breaks")
def tool(): raise OSError("ssh binary missing")

@when("the control channel is lost")
def lost(): raise ControlChannelLost("no answer from runner01")

@when("our own wait is too long")
def waits(): raise DeadlineMissed("fault not seen in time")

@when("the step skips")
def skips(): pytest.skip("not today")

@when("the step fails by hand")
def fails(): pytest.fail("by hand")

@when("the machine cannot be unplugged")
def unable(): raise AbilityMissing("cannot cut the power of runner01")

@when("a secret leaks")
def leaks():
    print("password is", SECRET)
    warnings.warn(ResourceWarning("left open: " + SECRET))

@when("a file is left open")
def left_open(): warnings.warn(ResourceWarning("left open"))

@when("the process dies")
def dies(): os._exit(9)

@when("somebody presses Ctrl-C")
def presses():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)

@when("somebody presses Ctrl-C and clearing up fails")
def clears_up():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except BaseException:
        raise ControlChannelLost("no answer while clearing up")

class Disposed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)

@when("somebody presses Ctrl-C while Python disposes of an object")
def disposes(): Disposed()

@when("it waits for somebody to press Ctrl-C")
def awaits():
    Path("waiting").touch()
    time.sleep(3)

@when("it is broken on purpose")
def broken(aftermath):
    log = Path("log.txt")
    def note(word):
        def write(*folder):
            with log.open("a") as file: file.write(word + "\\n")
            for place in folder: (place / (word + ".txt")).write_text(word)
        return write
    for word in ("heal 1", "heal 2"): aftermath.heal(note(word))
    for word in ("recovery 1", "recovery 2"): aftermath.recovery(note(word))
    aftermath.invariant(note("invariant"))
    aftermath.evidence(note("evidence"))

@when("it cannot be healed")
def unhealed(aftermath):
    @aftermath.heal
    def heal(): raise ControlChannelLost("no answer while healing")
    @aftermath.recovery
    def recovery(): raise PromiseBroken("never looked at")

@when("it does not recover")
def unrecovered(aftermath):
    @aftermath.recovery
    def recovery(): raise PromiseBroken("expected up within 35 s, observed down after 70 s")

@when("the history forks")
def forks(aftermath):
    @aftermath.invariant
    def history(): assert [1, 2, 2] == [1, 2, 3], "serial 2 follows serial 2"

@when("the history cannot be read")
def unread(aftermath):
    @aftermath.invariant
    def history(): raise OSError("bucket unreadable")

@when("evidence cannot be kept")
def no_evidence(aftermath):
    @aftermath.evidence
    def collect(folder): raise OSError("disk full " + SECRET)

@then("all is well")
def well(): pass

@then(parsers.parse("the number {number:d} is promised"))
def number(number): assert number < 10

@then("the promise is broken")
def promise(): assert 41 <= 35, "expected at most 35 s, observed 41 s"

@then("the channel is lost while looking")
def looking(): raise ControlChannelLost("no answer from balancer01")

@then("a promise with the secret is broken")
def secret(): assert SECRET == "x", "observed " + SECRET

@then("it takes a while")
def takes(measure): measure("out of rotation after", 4.6, "s", at_most(35), runner="runner02")

@then("it is awaited")
async def awaited(): raise AssertionError

@then("it is ambiguous")
def one(): pass

@then(parsers.parse("it is {what}guous"))
def two(what): pass

def pytest_sessionfinish(session):
    if Path("unremovable").exists(): raise OSError("the lab is still there")

@pytest.fixture(autouse=True)
def cleanup(request):
    yield
    if "teardown" in request.node.name: raise OSError("cannot remove the workspace")

@pytest.fixture(autouse=True)
def builds(request):
    if "no_lab" in request.node.name: raise LabUnavailable("the machine does not boot")
    if "interrupted_early" in request.node.name: os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
    if "interrupted_badly" in request.node.name: clears_up()
    if "no_ability" in request.node.name: raise AbilityMissing("the lab cannot do that")
"""


@dataclass(frozen=True)
class Inner:
    """A run that ended."""

    code: int
    out: str
    folder: Path

    @property
    def latest(self) -> Path:
        """The run's folder."""
        return self.folder / "reports/latest"

    @property
    def record(self) -> dict[str, Any]:
        """The run record."""
        data: dict[str, Any] = json.loads((self.latest / "run.json").read_text(encoding="utf-8"))
        return data

    @property
    def scenarios(self) -> dict[str, dict[str, Any]]:
        """Scenarios of the record by title."""
        return {entry.get("title", entry["nodeid"]): entry for entry in self.record["scenarios"]}

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdicts by title."""
        return {title: entry["verdict"] for title, entry in self.scenarios.items()}

    @property
    def rows(self) -> dict[str, str]:
        """What is told of each check."""
        return {entry["id"]: entry["words"] for entry in self.record["checks"]}

    @property
    def junit(self) -> dict[str, ET.Element]:
        """Test cases by name."""
        tree = ET.parse(self.latest / "junit.xml")  # noqa: S314 - our own file
        return {case.attrib["name"]: case for case in tree.iter("testcase")}


def feature(*scenarios: str, check: str = "V1", rule: str = "It works", tags: str = "") -> str:
    """Text of a feature file; a scenario is `[@tag …|]title|sentence|…`, with Given and Then filled in where missing."""
    lines = ["Feature: A feature", "", f"  @check:{check} {tags}".rstrip(), f"  Rule: {rule}", ""]
    for scenario in scenarios:
        parts = scenario.split("|")
        if parts[0].startswith("@"):
            lines.append(f"    {parts.pop(0)}")
        title, *sentences = parts
        lines.append(f"    Scenario: {title}")
        given = [] if any(line.startswith("Given") for line in sentences) else ["Given a lab"]
        then = [] if any(line.startswith("Then") for line in sentences) else ["Then all is well"]
        lines += [f"      {line}" for line in (*given, *sentences, *then)] + [""]
    return "\n".join(lines) + "\n"


def project(folder: Path, extra: str = "", **features: str) -> Path:
    """Lay out a project; the keywords name feature files."""
    (folder / "features").mkdir(parents=True)
    (folder / "conftest.py").write_text(CONFTEST.format(root=str(ROOT), plugins=PLUGINS))
    (folder / "pytest.ini").write_text(INI.format(root=ROOT))
    (folder / "spoken.py").write_text(SPOKEN + extra)
    (folder / "features/checklist.toml").write_text(CHECKLIST)
    for name, text in features.items():
        (folder / f"features/{name}.feature").write_text(text)
    return folder


def command(*arguments: str) -> list[str]:
    """How pytest is started."""
    return [sys.executable, "-m", "pytest", *(arguments or ("features/",))]


def environment() -> dict[str, str]:
    """Without what an outer pytest set."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV", "GITHUB"))},
        "COLUMNS": "140",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(folder: Path, *arguments: str) -> Inner:
    """Run pytest in the project, on `features/` unless told otherwise."""
    code, out = pytest_in(folder, arguments or ("features/",), environment(), PATIENCE)
    return Inner(code, out, folder)
