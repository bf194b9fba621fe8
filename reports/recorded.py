"""What a run's record holds, as pages, summaries and other programs read it: the schema of `run.json`, version 2.

Paths of evidence are relative to the run's folder, paths of features to the project. Times are UTC in ISO 8601, but moments
inside of a scenario are seconds of the epoch; durations are seconds. `docs/ci/run.schema.json` is made from these classes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from model.errors import BadInput
from model.measurements import Measurement
from model.secrets import SECRETS
from model.story import Comparison, LabFacts, PhaseResult, SentenceResult, Strike, SuiteFacts
from model.verdicts import Gate, Verdict

SCHEMA_VERSION = 2
FILE = "run.json"


@dataclass(frozen=True)
class RecordedCheck:
    """One check that was applicable.

    Attributes:
        id: Of the checklist.
        sentence: What is promised.
        source: Where the guide says so.
        verdict: The worst of its scenarios.
        words: The verdict as it is told: *passed in part, 2 of 3*.
        seconds: Of all its scenarios.
        ran: How many of its scenarios came to a verdict.
        applicable: How many fit topology, driver and tier.
        reasons: Why scenarios were not run, each once.
        measurements: Of all its scenarios.
        scenarios: Node ids of all that are applicable, selected or not.
    """

    id: str
    sentence: str
    source: str
    verdict: Verdict
    words: str
    seconds: float
    ran: int
    applicable: int
    reasons: tuple[str, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedCheck:
    """A check that has no scenario yet."""

    id: str
    sentence: str
    source: str


@dataclass(frozen=True)
class EvidenceFile:
    """A file that was kept.

    Attributes:
        path: Relative to the run's folder.
        size: In bytes.
        binary: It is not text in UTF-8.
    """

    path: str
    size: int
    binary: bool


@dataclass(frozen=True)
class RecordedScenario:
    """One scenario that was selected.

    Attributes:
        nodeid: As pytest names it; reruns it.
        title: For people.
        feature: Name of the feature.
        rule: Name of the rule.
        file: The feature file.
        line: Where the scenario starts.
        checks: Ids that it proves.
        tier: The smallest tier that it runs in.
        disruptive: It breaks something on purpose.
        verdict: Fixed before evidence was taken.
        reason: Expected against observed, or why it was not run.
        sentence: The sentence, with its line, or the phase that decided.
        seconds: From its first sentence to its verdict.
        waited: How much of that was spent waiting for something to come about.
        started: When its set-up began; null when it never did.
        sentences: All of them, with `status` passed, failed, inconclusive, skipped, undefined or ambiguous.
        phases: What surrounds them: set-up, healing, recovery, invariants, clean-up.
        measurements: Numbers that were observed.
        faults: What was broken on purpose: when injected, seen from outside, healed.
        evidence: Folder of its evidence; empty without any.
        files: What lies in that folder.
        histories: Those of them that are histories of clients, `*.history.jsonl`: an operation per line, see `model.history`.
        dirty: What could not be healed or removed.
    """

    nodeid: str
    title: str
    feature: str
    rule: str
    file: str
    line: int
    checks: tuple[str, ...]
    tier: str
    disruptive: bool
    verdict: Verdict
    reason: str = ""
    sentence: str = ""
    seconds: float = 0.0
    waited: float = 0.0
    started: float | None = None
    sentences: tuple[SentenceResult, ...] = ()
    phases: tuple[PhaseResult, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    faults: tuple[Strike, ...] = ()
    evidence: str = ""
    files: tuple[EvidenceFile, ...] = ()
    histories: tuple[str, ...] = ()
    dirty: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A scenario that is applicable and was not selected."""

    nodeid: str
    title: str
    file: str
    line: int
    checks: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Spent:
    """Seconds by what they were spent on; what several labs did at once is added up.

    Attributes:
        set_up: Building labs, and what each scenario needs.
        scenarios: From first sentence to verdict.
        waiting: The part of that in which something was awaited.
        teardown: Cleaning up after scenarios, removing labs.
        in_all: From the run's start to its end.
    """

    set_up: float
    scenarios: float
    waiting: float
    teardown: float
    in_all: float


@dataclass(frozen=True)
class Digests:
    """SHA-256 of what the verdicts rest on.

    Attributes:
        features: Of all feature files and the checklist.
        record: Of `messages.ndjson`; empty where it is missing.
    """

    features: str = ""
    record: str = ""


@dataclass(frozen=True)
class RecordedRun:
    """One run.

    Attributes:
        schema_version: Of this form.
        id: Sorts by time.
        started: When.
        ended: When the verdicts were computed.
        driver: Kind of lab.
        topology: Name of the topology.
        tier: Largest tier that was run.
        gate: What must have been observed for exit code 0.
        gate_met: Whether all that the gate asks for was run.
        seed: What choices by chance depended on; `--seed` makes them the same again.
        exit_code: Of the process.
        conclusion: The verdict in one line.
        stopped: Why the suite ended the run early; empty when it did not.
        interrupted: Somebody else ended it early.
        dirty: What could not be healed or removed.
        suite: What ran.
        lab: What the lab was; null when none came up.
        spent: Seconds.
        digests: Of features and record.
        checks: One per applicable check that has scenarios or should have.
        planned: Checks without scenarios yet.
        scenarios: Those that were selected, in the order of the files.
        left_out: Those that are applicable and were not.
        comparison: A lab that is not ours before the run against after it; null elsewhere.
        folder: Where it was read from; not in the file.
    """

    schema_version: int
    id: str
    started: datetime
    ended: datetime
    driver: str
    topology: str
    tier: str
    gate: Gate
    gate_met: bool
    seed: str
    exit_code: int
    conclusion: str
    stopped: str
    interrupted: bool
    dirty: tuple[str, ...]
    suite: SuiteFacts
    lab: LabFacts | None
    spent: Spent
    digests: Digests
    checks: tuple[RecordedCheck, ...]
    planned: tuple[PlannedCheck, ...]
    scenarios: tuple[RecordedScenario, ...]
    left_out: tuple[LeftOut, ...]
    comparison: Comparison | None = None
    folder: Path = field(default=Path(), compare=False)

    def scenario(self, nodeid: str) -> RecordedScenario | None:
        """The selected scenario of that id."""
        return next((entry for entry in self.scenarios if entry.nodeid == nodeid), None)


FORM = TypeAdapter(RecordedRun)


def load(folder: Path) -> RecordedRun:
    """Read what a run concluded.

    Args:
        folder: `reports/runs/<id>`.

    Returns:
        The run, with `folder` set.

    Raises:
        BadInput: There is no `run.json`, it is damaged, or of another schema.
    """
    path = folder / FILE
    try:
        run = FORM.validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise BadInput(f"{path} is damaged or of another schema than {SCHEMA_VERSION}: {place}: {first['msg']}") from error
    return replace(run, folder=folder)


def dump(run: RecordedRun) -> str:
    """The text of `run.json`, secrets masked."""
    data = SECRETS.mask_all(FORM.dump_python(run, mode="json", exclude={"folder"}))
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The form of `run.json` as JSON Schema; stands in `docs/ci/run.schema.json`."""
    made = FORM.json_schema(mode="serialization")
    made["properties"].pop("folder")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"run.json, schema version {SCHEMA_VERSION}", **made}
