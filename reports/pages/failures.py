"""A scenario that did not pass, told in plain language: expected, observed, what the guide says, where to look, what to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.verdicts import Verdict
from reports.recorded import RecordedCheck, RecordedRun, RecordedScenario

REASON_MAX = 4000
"""Characters; a journal that got into a message stays beside the page."""


@dataclass(frozen=True)
class Settings:
    """One file with settings, as it was in force.

    Attributes:
        places: Machine and path; several where the text is the same.
        text: Secrets masked.
    """

    places: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Failure:
    """One scenario.

    Attributes:
        scenario: What is known about it.
        number: Its place among them; part of its anchor.
        expected: What should have been; empty where the message does not say so.
        observed: What was.
        reason: The message, where it does not say so.
        also: What else was found, after that.
        cut: Whether the message was too long for a page.
        checks: Those of its checks that the checklist has here.
        machines: Of the lab, named in the message; the first runner where none is.
        rerun: Command that runs this scenario alone.
        enter: Commands that keep the lab and enter a machine.
        settings: Of backend and balancers.
    """

    scenario: RecordedScenario
    number: int
    expected: str
    observed: str
    reason: str
    also: tuple[str, ...]
    cut: bool
    checks: tuple[RecordedCheck, ...]
    machines: tuple[str, ...]
    rerun: str
    enter: tuple[str, ...]
    settings: tuple[Settings, ...]


def failures_of(run: RecordedRun) -> list[Failure]:
    """Everything that failed, then everything that could not be told."""
    wanted = [entry for verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE) for entry in run.scenarios if entry.verdict is verdict]
    return [_failure(run, entry, number) for number, entry in enumerate(wanted, 1)]


def _failure(run: RecordedRun, scenario: RecordedScenario, number: int) -> Failure:
    reason = scenario.reason or "no reason was recorded"
    first, *also = (finding.strip() for finding in re.split(r"\n(?=also: |expected )", reason[:REASON_MAX]))
    expected, observed = split(first)
    machines = _machines(run, reason)
    return Failure(
        scenario=scenario,
        number=number,
        expected=expected,
        observed=observed,
        reason=first,
        also=tuple(finding.removeprefix("also: ") for finding in also),
        cut=len(reason) > REASON_MAX,
        checks=tuple(check for check in run.checks if check.id in scenario.checks),
        machines=machines,
        rerun=rerun(run, scenario),
        enter=_enter(run, scenario, machines),
        settings=_settings(run, machines),
    )


def split(reason: str) -> tuple[str, str]:
    """Take a message of the suite apart: *expected A; observed B*. Both are empty for one that is not made so."""
    found = re.match(r"expected (?P<expected>.+?)(?:;|,|\.)? observed (?P<observed>.+)\Z", reason.strip(), re.DOTALL)
    return (found["expected"].strip(), found["observed"].strip()) if found else ("", "")


def rerun(run: RecordedRun, scenario: RecordedScenario) -> str:
    """The command that runs one scenario alone, on a lab as this one was."""
    topology = "" if run.topology == "production" else f" --topology {shlex.quote(run.topology)}"
    lab = "" if run.driver == "embedded" else f" --lab {shlex.quote(_option(run.suite.command, '--lab') or run.driver)}"
    tier = f" --tier {scenario.tier}" if scenario.tier == "thorough" else ""
    return f".venv/bin/pytest {shlex.quote(scenario.nodeid)}{topology}{lab}{tier}"


def _option(command: Sequence[str], name: str) -> str:
    """What was given for an option; empty when it was not."""
    for number, part in enumerate(command):
        if part.startswith(f"{name}="):
            return part.partition("=")[2]
        if part == name and number + 1 < len(command):
            return command[number + 1]
    return ""


def _machines(run: RecordedRun, text: str) -> tuple[str, ...]:
    known = [machine.name for machine in run.lab.machines] if run.lab else []
    named = [name for name in known if re.search(rf"\b{re.escape(name)}\b", text)]
    return tuple(named[:3] or [name for name in known if name.startswith("runner")][:1])


def _enter(run: RecordedRun, scenario: RecordedScenario, machines: tuple[str, ...]) -> tuple[str, ...]:
    if run.driver != "embedded" or not machines:
        return ()
    keep = f"{rerun(run, scenario)} --keep on-failure"
    return (keep, *(f".venv/bin/python -m provisioning ssh {machine}" for machine in machines))


def _settings(run: RecordedRun, machines: tuple[str, ...]) -> tuple[Settings, ...]:
    """Of the machines that are named; of the first of its kind where none is. The same text is shown once."""
    if run.lab is None:
        return ()
    shown: list[Settings] = []
    for texts in (run.lab.backend, run.lab.balancer):
        chosen = {place: text for place, text in texts.items() if place.partition(":")[0] in machines} or _first_machine(texts)
        by_text: dict[str, list[str]] = {}
        for text in chosen.values():
            by_text[text] = [place for place, other in texts.items() if other == text]
        shown += [Settings(tuple(places), text) for text, places in by_text.items()]
    return tuple(shown)


def _first_machine(texts: Mapping[str, str]) -> dict[str, str]:
    first = next((place.partition(":")[0] for place in texts), "")
    return {place: text for place, text in texts.items() if place.partition(":")[0] == first}
