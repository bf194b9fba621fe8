"""What runs and races found, reduced to what the pages tell: `docs/the-guide-as-written.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from benchmarks.host import ROOT
from benchmarks.soak.document import DOCUMENT, lines
from model.errors import BadInput
from model.verdicts import Verdict

FILE = ROOT / "docs/the-guide-as-written.json"
PROMISES = tuple(f"V{number}" for number in range(1, 9))
LONGEST_REASON = 1200
MEASURED = ("name", "value", "unit", "limit", "labels")
PASSED = "passed"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limit(_Data):
    """A threshold of a sentence."""

    bound: float
    kind: str


class Number(_Data):
    """A measurement of a scenario."""

    name: str
    value: float
    unit: str
    limit: Limit | None
    labels: dict[str, str]

    def __str__(self) -> str:
        """`out of rotation after 29.1 s (at most 35 s), shut down`."""
        bound = f" ({self.limit.kind} {self.limit.bound:g} {self.unit})" if self.limit else ""
        return f"{self.name} {self.value:.3g} {self.unit}{bound}{''.join(f', {label}' for label in self.labels.values())}"


class Scenario(_Data):
    """One scenario of a run.

    Attributes:
        title: Its name.
        file: Feature that has it, below the project.
        checks: What it proves.
        verdict: As the run came to it.
        reason: Why it did not pass.
        numbers: What was measured.
    """

    title: str
    file: str
    checks: tuple[str, ...]
    verdict: Verdict
    reason: str
    numbers: tuple[Number, ...]


class Promise(_Data):
    """One check of a run: id, the guide's sentence, and the verdict in the run's own words."""

    id: str
    sentence: str
    verdict: Verdict
    words: str

    @property
    def holds(self) -> bool:
        """Whether it was observed, wholly."""
        return self.verdict is Verdict.PASSED and self.words == PASSED


class Run(_Data):
    """A run of `pytest features/` on one topology.

    Attributes:
        topology: What was built.
        run: Its id.
        started: When.
        commit: Of the project.
        command: What pytest was told.
        seconds: In all.
        baseline: The condition in which the lab came.
        versions: Of the programs.
        record: Digest of the run's record.
        promises: All checks that were run.
        scenarios: All scenarios that were run.
    """

    topology: str
    run: str
    started: str
    commit: str
    command: tuple[str, ...]
    seconds: float
    baseline: str
    versions: dict[str, str]
    record: str
    promises: tuple[Promise, ...]
    scenarios: tuple[Scenario, ...]

    def promise(self, check: str) -> Promise:
        """A check of the run."""
        return next(each for each in self.promises if each.id == check)

    def holding(self, checks: tuple[str, ...] = PROMISES) -> int:
        """How many of these hold."""
        return sum(self.promise(check).holds for check in checks)

    def of(self, check: str) -> tuple[Scenario, ...]:
        """Scenarios that prove a check."""
        return tuple(each for each in self.scenarios if check in each.checks)

    def broken(self, check: str) -> tuple[Scenario, ...]:
        """Those that kept it from passing."""
        return tuple(each for each in self.of(check) if each.verdict is not Verdict.PASSED)

    def numbers(self, check: str) -> tuple[Number, ...]:
        """What was measured for a check."""
        return tuple(number for each in self.of(check) for number in each.numbers)


class Holding(_Data):
    """What became of the port that both services of one host want.

    Attributes:
        answers: Who answers at the address that the guide gives to clients, asked from another machine: `minio`, `haproxy` or `nobody`.
        listens: Programs that listen on the port, of whatever address.
        minio: What systemd says of it (`active`, `activating`, `failed`).
        haproxy: The same of the other.
    """

    answers: str
    listens: tuple[str, ...]
    minio: str
    haproxy: str


class Planted(_Data):
    """A sitting of `make prove`: how many defects were planted, found, explained, and how many healthy checks cried wolf."""

    made: str
    revision: str
    seconds: float
    planted: int
    known: int
    found: int
    explained: int
    false_alarms: int


class Soaked(_Data):
    """Runs of the gate on healthy labs: how many there are in `docs/soak.md`, how many met the gate, and when the newest was."""

    runs: int
    met: int
    newest: str


class Findings(_Data):
    """Everything that the pages tell.

    Attributes:
        runs: One for each topology.
        built: Who had the port on the host as it was built.
        turned: Who had it when HAProxy was started first.
        reboots: Who had it after each reboot of that host.
        raced: When the reboots were made, and at which commit.
        planted: The newest whole sitting of `make prove`.
        soaked: Runs of the gate on healthy labs, when the pages were last written.
    """

    runs: tuple[Run, ...] = ()
    built: Holding | None = None
    turned: Holding | None = None
    reboots: tuple[Holding, ...] = ()
    raced: str = ""
    planted: Planted | None = None
    soaked: Soaked | None = None

    def on(self, topology: str) -> Run:
        """The run on a topology.

        Raises:
            BadInput: There was none yet.
        """
        for run in self.runs:
            if run.topology == topology:
                return run
        raise BadInput(f"{FILE.name} has no run on {topology} yet: python -m benchmarks.as_written {topology}")

    def outcomes(self) -> Counter[Holding]:
        """How often which outcome was seen after a reboot."""
        return Counter(self.reboots)

    def with_run(self, run: Run) -> Findings:
        """The same with a newer run of a topology."""
        others = [each for each in self.runs if each.topology != run.topology]
        return self.model_copy(update={"runs": tuple(sorted([*others, run], key=lambda each: each.topology))})

    @classmethod
    def load(cls, path: Path = FILE) -> Findings:
        """Read what was saved; nothing where nothing was."""
        return cls.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else cls()

    def save(self, path: Path = FILE) -> None:
        """Write it."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def reduced(record: Mapping[str, Any]) -> Run:
    """What a run's `run.json` says, as far as the pages tell it.

    Args:
        record: Contents of the file.
    """
    return Run(
        topology=record["topology"],
        run=record["id"],
        started=record["started"],
        commit=record["suite"]["commit"][:7] + ("-dirty" if record["suite"]["modified"] else ""),
        command=tuple(word for word in record["suite"]["command"] if "moments" not in word and word != "-p"),
        seconds=record["spent"]["in_all"],
        baseline=record["lab"]["baseline"],
        versions=record["lab"]["versions"],
        record=record["digests"]["record"],
        promises=tuple(Promise(**{name: row[name] for name in Promise.model_fields}) for row in record["checks"] if row["ran"]),
        scenarios=tuple(_scenario(entry) for entry in record["scenarios"] if entry["verdict"] != Verdict.NOT_RUN),
    )


def _scenario(entry: Mapping[str, Any]) -> Scenario:
    reason = entry["reason"]
    return Scenario(
        title=entry["title"],
        file=entry["file"],
        checks=entry["checks"],
        verdict=entry["verdict"],
        reason=reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON].rstrip()} …",
        numbers=tuple(Number(**{name: each[name] for name in MEASURED}) for each in entry["measurements"]),
    )


def planted(table: Mapping[str, Any]) -> Planted:
    """What `make prove` wrote into `proof.json`, without its rows.

    Args:
        table: Contents of the file.

    Raises:
        BadInput: Not every known defect was planted.
    """
    if table["planted"] != table["known"]:
        raise BadInput(f"{table['planted']} of {table['known']} defects were planted; the pages tell of whole sittings only: make prove")
    return Planted(**{name: table[name] for name in Planted.model_fields})


def soaked(document: Path = DOCUMENT) -> Soaked:
    """Count the lines of `docs/soak.md`."""
    seen = lines(document)
    return Soaked(runs=len(seen), met=sum(line.exit_code == 0 for line in seen), newest=max(line.when for line in seen))
