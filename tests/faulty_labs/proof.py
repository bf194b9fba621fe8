"""Plants one defect into a fresh lab, runs the suite on it, and judges what the suite said: found, explained, no false alarm."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.topology import topology
from tests.faulty_labs.acceptance_run import AcceptanceRun
from tests.faulty_labs.defects.defect import Defect, Symptom

FAILED = 1
OBSERVED = "observed"


@dataclass(frozen=True)
class Finding:
    """What became of one symptom.

    Attributes:
        symptom: What was looked for.
        verdict: Of its check.
        explanation: What its scenario said.
        problems: What is wrong with that; empty when it is all that was asked for.
    """

    symptom: Symptom
    verdict: str
    explanation: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """What the suite made of one defect.

    Attributes:
        defect: What was planted.
        seconds: From start to end of the run, its lab made and removed.
        findings: One for each symptom.
        failed: Every check that failed.
        false_alarms: Neighbours that are not green, each with what its scenarios said.
        others: Whatever else must not be: a verdict that is none, leftovers.
    """

    defect: Defect
    seconds: float
    findings: tuple[Finding, ...]
    failed: tuple[str, ...]
    false_alarms: dict[str, str]
    others: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[str, ...]:
        """Checks that failed as they should."""
        return tuple(check for check in self.defect.expected if check in self.failed)

    @property
    def explained(self) -> bool:
        """Whether every symptom was found by its scenario, with machine and observation."""
        return not any(finding.problems for finding in self.findings)

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that speaks against the suite; empty when it did well."""
        told: list[str] = []
        if not self.found:
            unrelated = ", ".join(self.failed)
            told.append(f"found only by what has nothing to do with it: {unrelated}" if unrelated else "missed")
        told += [problem for finding in self.findings for problem in finding.problems]
        told += [f"false alarm: {check} should not mind: {said}" for check, said in self.false_alarms.items()]
        return (*told, *self.others)


def arguments(defect: Defect) -> tuple[str, ...]:
    """What `pytest features/` is told, so that one lab shows all symptoms."""
    fleet = ("--topology", defect.topology, "--runners", str(defect.runners))
    return ("--defect", defect.name, *fleet, "--check", ",".join(defect.checks), "-m", defect.selection, *defect.options)


def prove(defect: Defect, place: Path, started: Callable[[AcceptanceRun], object] = lambda _run: None) -> Proof:
    """Plant a defect and see what the suite says.

    Args:
        defect: What to plant.
        place: An empty folder for the run.
        started: Is given the run as soon as there is one.
    """
    began = time.monotonic()
    run = AcceptanceRun(place, arguments(defect))
    started(run)
    run.finish()
    return judge(defect, run, time.monotonic() - began)


def judge(defect: Defect, run: AcceptanceRun, seconds: float) -> Proof:
    """Judge a run that has ended."""
    if not list(run.place.glob("runs/*/run.json")):
        said = f"the run left no record, exit code {run.process.returncode}:\n{run.output[-2000:]}"
        return Proof(defect, seconds, (), (), {}, (said,))
    verdicts = {title: entry["verdict"] for title, entry in run.scenarios.items()}
    others = [
        f"nobody can tell: {title}: {verdict} ({run.scenarios[title]['reason']})"
        for title, verdict in verdicts.items()
        if verdict not in {"passed", "failed"}
    ]
    if run.process.returncode != FAILED:
        others.append(f"exit code {run.process.returncode} instead of {FAILED}")
    if run.record["dirty"]:
        others.append(f"the lab was left dirty: {run.record['dirty']}")
    others += [f"left behind: {each}" for each in run.remains()]
    return Proof(
        defect,
        seconds,
        tuple(_look(defect, run, symptom) for symptom in defect.symptoms),
        tuple(check for check, row in run.checks.items() if row["verdict"] == "failed"),
        {check: said for check in defect.healthy if (said := _alarm(run, check))},
        tuple(others),
    )


def _alarm(run: AcceptanceRun, check: str) -> str:
    """What a neighbour says that should have nothing to say; empty when all its scenarios passed."""
    proofs = [entry for entry in run.scenarios.values() if check in entry["checks"]]
    if not proofs:
        return "none of its scenarios was run"
    return "; ".join(f"{entry['title']}: {entry['verdict']} ({entry['reason']})" for entry in proofs if entry["verdict"] != "passed")


def _look(defect: Defect, run: AcceptanceRun, symptom: Symptom) -> Finding:
    """The check must have failed, in the record and in JUnit, its explanation must say it all, and there must be evidence."""
    verdict, entry = run.checks[symptom.check]["verdict"], run.scenarios.get(symptom.scenario)
    if entry is None or symptom.check not in entry["checks"]:
        return Finding(symptom, verdict, "", (f"{symptom.check} has no scenario “{symptom.scenario}” that was run",))
    where = f"{symptom.check}, “{symptom.scenario}”"
    if verdict != "failed" or entry["verdict"] != "failed":
        return Finding(symptom, verdict, entry["reason"], (f"missed: {where} is {entry['verdict']} ({entry['reason']})",))
    problems = [f"{words!r} is missing in the explanation" for words in symptom.words if words not in entry["reason"]]
    problems += _unexplained(defect, entry["reason"]) + _unproven(run, entry)
    return Finding(symptom, verdict, entry["reason"], tuple(f"{where}: {problem}:\n{entry['reason']}" for problem in problems))


def _unexplained(defect: Defect, explanation: str) -> list[str]:
    """What every explanation must have, whatever the defect: a place in the lab, and what was observed there."""
    plan = topology(defect.topology, defect.runners)
    places = [word for machine in plan.machines for word in (machine.name, machine.address)]
    places += [plan.runner_endpoint.host, plan.storage_endpoint.host]
    problems = [] if any(place in explanation for place in places) else ["it names no machine and no address"]
    return problems if OBSERVED in explanation else [*problems, "it does not say what was observed"]


def _unproven(run: AcceptanceRun, entry: dict[str, Any]) -> list[str]:
    """What a failed scenario must leave: JUnit's failure with the same words, a story, journals."""
    problems = []
    failure = run.junit[entry["title"]].find("failure")
    if failure is None or entry["reason"].splitlines()[0] not in (failure.text or "") + failure.get("message", ""):
        problems.append("JUnit does not tell it")
    evidence = run.folder / entry["evidence"]
    if entry["title"] not in (evidence / "story.txt").read_text():
        problems.append(f"no story in {evidence}")
    if not list(evidence.glob("*.journal.txt")):
        problems.append(f"no journals in {evidence}")
    return problems
