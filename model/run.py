"""One run of the acceptance suite: where it writes, what it found. Shared through pytest's stashes."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from model.catalogue import Catalogue, Check
from model.measurements import Measurement
from model.scenario import Scenario
from model.secrets import SECRETS
from model.story import Comparison, Definition, LabFacts, PhaseResult, SentenceResult, Strike, SuiteFacts
from model.tags import DISRUPTIONS
from model.verdicts import Gate, Verdict


@dataclass(frozen=True)
class Setting:
    """What a run was asked for.

    Attributes:
        driver: Kind of lab.
        topology: Name of the topology.
        tier: Largest tier that is run.
        gate: What must have been observed for exit code 0.
        permitted: What may be broken on purpose in this lab, of `model.tags.DISRUPTIONS`.
        seed: What choices by chance depend on, as which storage machine is lost.
    """

    driver: str
    topology: str
    tier: str
    gate: Gate
    permitted: tuple[str, ...] = DISRUPTIONS
    seed: str = ""

    def permits(self, scenario: Scenario) -> bool:
        """Whether all that a scenario breaks may be broken."""
        return scenario.disrupts <= set(self.permitted)


@dataclass
class Result:
    """What is known about one scenario; plain data that crosses process borders.

    Attributes:
        nodeid: As pytest names its item.
        verdict: Fixed before evidence is taken.
        reason: Expected against observed, or why it was not run.
        sentence: The sentence (or the duty after them) that decided, with its line.
        seconds: From the first sentence to the fixed verdict.
        sentences: All of them, also those that were not reached.
        phases: What surrounds them: set-up, healing, recovery, invariants, clean-up.
        faults: What was broken on purpose, and when.
        waited: Seconds that were spent waiting for something to come about.
        started: Seconds of the epoch when its set-up began; None when it never did.
        measurements: Numbers that were observed.
        evidence: The folder, relative to the project; empty when there is none.
        dirty: What could not be healed or removed.
        channel_lost: Control channel, lab or tools were the reason.
    """

    nodeid: str
    verdict: Verdict = Verdict.NOT_RUN
    reason: str = ""
    sentence: str = ""
    seconds: float = 0.0
    sentences: list[SentenceResult] = field(default_factory=list)
    phases: list[PhaseResult] = field(default_factory=list)
    faults: list[Strike] = field(default_factory=list)
    waited: float = 0.0
    started: float | None = None
    measurements: list[Measurement] = field(default_factory=list)
    evidence: str = ""
    dirty: list[str] = field(default_factory=list)
    channel_lost: bool = False

    def as_data(self) -> dict[str, Any]:
        """Plain data with secrets masked, the inverse of `from_data`."""
        data: dict[str, Any] = SECRETS.mask_all(_FORM.dump_python(self, mode="json"))
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Result:
        """Rebuild from `as_data`, ignoring keys that we do not know."""
        return _FORM.validate_python(data)

    def complete(self, scenario: Scenario) -> None:
        """Name the sentences that were not reached."""
        missing = scenario.sentences[len(self.sentences) :]
        self.sentences += [SentenceResult(entry.keyword, entry.text, entry.line) for entry in missing]


_FORM = TypeAdapter(Result)


@dataclass(frozen=True)
class CheckRow:
    """What is known about one check.

    Attributes:
        check: From the checklist.
        verdict: The worst of its applicable scenarios.
        words: The verdict as it is told: *passed in part, 2 of 3*.
        seconds: Of all its scenarios.
        ran: How many of its scenarios were run to a verdict.
        applicable: How many fit topology, driver and tier.
        measurements: Of all its scenarios.
        reasons: Why scenarios were not run, each once.
    """

    check: Check
    verdict: Verdict
    words: str
    seconds: float
    ran: int
    applicable: int
    measurements: tuple[Measurement, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass
class Run:
    """One run. What follows `root` is filled in by the controller when the run ends.

    Attributes:
        id: Sorts by time; unique on this host.
        folder: `reports/runs/<id>`.
        root: The project's folder.
        started: When.
        setting: What was asked for.
        universe: Every scenario that was read, selected or not.
        results: By node id, selected scenarios only.
        rows: One per applicable check that is not planned.
        gate_met: Whether all that the gate asks for was run.
        dirty: What could not be healed or removed.
        stopped: Why we ended the run early; empty when we did not.
        interrupted: Somebody else ended it early (Ctrl-C).
        exit_code: Of the process.
        conclusion: The verdict in one line.
        dry: Nothing is run (a plan, or collection only), so nothing is written.
        ended: When the verdicts were computed.
        suite: What ran.
        lab: What the first lab was; None when none came up.
        comparison: A lab that is not ours before the run against after it; None elsewhere, and where nothing could be compared.
        removal_seconds: What removing labs took.
        pytest_code: What pytest would have exited with.
        foreign_failures: Failed tests that are no scenarios, in the same run.
    """

    id: str
    folder: Path
    root: Path
    started: datetime
    catalogue: Catalogue
    setting: Setting
    universe: list[Scenario] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    rows: list[CheckRow] = field(default_factory=list)
    gate_met: bool = False
    dirty: list[str] = field(default_factory=list)
    stopped: str = ""
    interrupted: bool = False
    exit_code: int = 0
    conclusion: str = ""
    dry: bool = False
    ended: datetime | None = None
    suite: SuiteFacts = field(default_factory=SuiteFacts)
    lab: LabFacts | None = None
    comparison: Comparison | None = None
    removal_seconds: float = 0.0
    pytest_code: int = 0
    foreign_failures: int = 0

    def evidence_of(self, scenario: Scenario) -> Path:
        """The folder in which evidence of a scenario is kept; it may not exist yet."""
        return self.folder / "evidence" / scenario.folder

    def told(self, path: Path) -> str:
        """A path as it is shown: relative to the project where it can be."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def applicable(self) -> list[Scenario]:
        """Scenarios that fit topology, driver and tier."""
        here = self.setting
        return [entry for entry in self.universe if entry.fits(here.topology, here.driver, here.tier, self.catalogue)]

    def result_of(self, scenario: Scenario) -> Result:
        """What is known about a scenario; *not run* when it was left out."""
        return self.results.get(scenario.nodeid) or Result(scenario.nodeid, reason="not selected")

    def struck(self, title: str) -> set[str]:
        """Names of the machines to which a fault of that title was done."""
        return {name for result in self.results.values() for strike in result.faults if strike.title == title for name in strike.machines}


RUN: pytest.StashKey[Run] = pytest.StashKey()
"""In `config.stash`, in every process of a run that was asked for features; absent otherwise."""

SCENARIO: pytest.StashKey[Scenario] = pytest.StashKey()
"""In an item's stash."""

RESULT: pytest.StashKey[Result] = pytest.StashKey()
"""In an item's stash, from the start of its set-up."""


DEFINITIONS: pytest.StashKey[tuple[tuple[Definition, ...], ...]] = pytest.StashKey()
"""In an item's stash: for each sentence the step definitions that match it."""


def new_run_id(now: datetime | None = None) -> str:
    """Name a run: `20261123-174542-abcd`, in UTC."""
    tail = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{tail}"


def newest_durations(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds by node id from earlier run records, the newest first.

    Args:
        runs: Contents of `run.json`, the newest first.

    Returns:
        For every scenario the seconds of the newest run in which it came to a verdict.
    """
    seconds: dict[str, float] = {}
    for run in runs:
        for entry in run.get("scenarios", ()):
            if entry.get("verdict") in {Verdict.PASSED, Verdict.FAILED}:
                seconds.setdefault(entry["nodeid"], float(entry["seconds"]))
    return seconds
