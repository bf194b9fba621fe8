"""What happened in a scenario and what the lab was: plain data that crosses processes and stands in the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from model.verdicts import Verdict


class Status(StrEnum):
    """What became of one sentence, or of what surrounds the sentences."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    UNDEFINED = "undefined"
    AMBIGUOUS = "ambiguous"

    @classmethod
    def of(cls, verdict: Verdict) -> Status:
        """What a verdict makes of the sentence that led to it; *not run* is skipped."""
        return cls.SKIPPED if verdict is Verdict.NOT_RUN else cls(verdict.value)


@dataclass(frozen=True)
class Definition:
    """A step definition that matches a sentence.

    Attributes:
        pattern: What it matches, as it was written.
        regular: The pattern is a regular expression.
        file: Where it stands.
        line: And on which line.
    """

    pattern: str
    regular: bool
    file: str
    line: int


@dataclass(frozen=True)
class SentenceResult:
    """One sentence.

    Attributes:
        keyword: `Given`, `When`, `Then`, `And` …
        text: Without its keyword.
        line: In the feature file.
        seconds: How long it took; 0 when it was not reached.
        status: What became of it.
        reason: Why, when it did not pass.
        started: Seconds of the epoch; None when it was not reached.
    """

    keyword: str
    text: str
    line: int
    seconds: float = 0.0
    status: Status = Status.SKIPPED
    reason: str = ""
    started: float | None = None

    def __str__(self) -> str:
        """As it is read aloud."""
        return f"{self.keyword} {self.text}"


@dataclass(frozen=True)
class PhaseResult:
    """What surrounds the sentences.

    Attributes:
        name: `set-up`, `healing`, `recovery`, `invariants` (of the history) or `clean-up`.
        seconds: How long it took.
        status: What became of it.
        reason: Why, when it did not pass.
        started: Seconds of the epoch.
    """

    name: str
    seconds: float
    status: Status
    reason: str = ""
    started: float = 0.0


@dataclass
class Strike:
    """One fault that was injected; times are seconds of the epoch.

    Attributes:
        title: What was done, in a reader's words.
        machines: To whom.
        injected: When the injection had returned; None when it failed.
        proven: When its effect had been seen from outside; None when it was not.
        healed: When healing had returned; None when it was not healed.
    """

    title: str
    machines: tuple[str, ...]
    injected: float | None = None
    proven: float | None = None
    healed: float | None = None


@dataclass(frozen=True)
class MachineFacts:
    """One machine of the lab."""

    name: str
    role: str
    address: str


@dataclass(frozen=True)
class LabFacts:
    """What the lab was when it came up.

    Attributes:
        name: As the driver named it.
        machines: Storage first, runners last.
        versions: Program to version: `OpenTofu`, `MinIO`, `HAProxy`, `keepalived`; what could not be had is missing.
        backend: Effective settings of the backend: text by `machine:path`, secrets masked.
        balancer: The same of the balancers.
        baseline: The condition in which it came.
        seconds: What building it took, until it had settled.
        up: When that was done, in seconds of the epoch.
    """

    name: str
    machines: tuple[MachineFacts, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    backend: Mapping[str, str] = field(default_factory=dict)
    balancer: Mapping[str, str] = field(default_factory=dict)
    baseline: str = ""
    seconds: float = 0.0
    up: float = 0.0


@dataclass(frozen=True)
class SuiteFacts:
    """What ran.

    Attributes:
        version: Of this project.
        commit: Of the checkout; empty where it is none.
        modified: Whether the checkout differs from its commit.
        python: Version of the interpreter.
        host: Operating system and architecture.
        command: What was typed after `pytest`.
    """

    version: str = ""
    commit: str = ""
    modified: bool = False
    python: str = ""
    host: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A lab that is not ours before the run against after it.

    Attributes:
        left: What is left of ours; each says what it is and where.
        changed: What else is different, and may be the work of others.
        unseen: What could not be compared, and why.
        compared: What was, in words.
    """

    left: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    compared: str = ""
