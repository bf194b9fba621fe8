"""From a concluded run to its record `run.json`, whose form stands in `reports.recorded`."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.run import CheckRow, Result, Run
from model.scenario import Scenario
from reports.recorded import (
    FILE,
    SCHEMA_VERSION,
    Digests,
    EvidenceFile,
    LeftOut,
    PlannedCheck,
    RecordedCheck,
    RecordedRun,
    RecordedScenario,
    Spent,
    dump,
)

MESSAGES, PARTS = "messages.ndjson", "parts"
HISTORY = ".history.jsonl"
CHECKLIST = "features/checklist.toml"
LOOK_AT_BYTES = 65_536
"""How much of a file tells whether it is text."""


def recorded(run: Run) -> RecordedRun:
    """Put a concluded run into the record's form."""
    here, ended = run.setting, run.ended or datetime.now(UTC)
    known = {scenario.nodeid: scenario for scenario in run.universe}
    applicable = run.applicable()
    return RecordedRun(
        schema_version=SCHEMA_VERSION,
        id=run.id,
        started=run.started.replace(microsecond=0),
        ended=ended.replace(microsecond=0),
        driver=here.driver,
        topology=here.topology,
        tier=here.tier,
        gate=here.gate,
        gate_met=run.gate_met,
        seed=here.seed,
        exit_code=int(run.exit_code),
        conclusion=run.conclusion,
        stopped=run.stopped,
        interrupted=run.interrupted,
        dirty=tuple(run.dirty),
        suite=run.suite,
        lab=run.lab,
        spent=_spent(run, (ended - run.started).total_seconds()),
        digests=Digests(features_digest(run), _digest_of(run.folder / MESSAGES)),
        checks=tuple(_check(row, applicable) for row in run.rows),
        planned=tuple(PlannedCheck(check.id, check.sentence, check.source) for check in run.catalogue if check.planned),
        scenarios=tuple(_scenario(run, known.get(nodeid), run.results[nodeid]) for nodeid in _in_order(run)),
        left_out=tuple(
            LeftOut(each.nodeid, each.title, each.file, each.line, each.checks, run.result_of(each).reason)
            for each in applicable
            if each.nodeid not in run.results
        ),
        comparison=run.comparison,
        folder=run.folder,
    )


def _in_order(run: Run) -> list[str]:
    """Selected node ids in the order of the files; what no file has comes last."""
    places = {scenario.nodeid: number for number, scenario in enumerate(run.universe)}
    return sorted(run.results, key=lambda nodeid: places.get(nodeid, len(places)))


def _spent(run: Run, in_all: float) -> Spent:
    phases = [phase for result in run.results.values() for phase in result.phases]
    return Spent(
        set_up=_rounded(phase.seconds for phase in phases if phase.name == "set-up"),
        scenarios=_rounded(result.seconds for result in run.results.values()),
        waiting=_rounded(result.waited for result in run.results.values()),
        teardown=_rounded([run.removal_seconds, *(phase.seconds for phase in phases if phase.name == "clean-up")]),
        in_all=round(in_all, 1),
    )


def _rounded(seconds: Iterable[float]) -> float:
    return round(sum(seconds), 1)


def features_digest(run: Run) -> str:
    """SHA-256 of the checklist and of every feature file, by name."""
    total = hashlib.sha256()
    for file in sorted({CHECKLIST, *(scenario.file for scenario in run.universe)}):
        total.update(f"{file}\0{_digest_of(run.root / file)}\n".encode())
    return total.hexdigest()


def _digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _check(row: CheckRow, applicable: list[Scenario]) -> RecordedCheck:
    return RecordedCheck(
        id=row.check.id,
        sentence=row.check.sentence,
        source=row.check.source,
        verdict=row.verdict,
        words=row.words,
        seconds=round(row.seconds, 3),
        ran=row.ran,
        applicable=row.applicable,
        reasons=row.reasons,
        measurements=row.measurements,
        scenarios=tuple(each.nodeid for each in applicable if row.check.id in each.checks),
    )


def _scenario(run: Run, scenario: Scenario | None, result: Result) -> RecordedScenario:
    evidence = run.evidence_of(scenario) if scenario and result.evidence else None
    files = tuple(_files(run.folder, evidence)) if evidence else ()
    return RecordedScenario(
        nodeid=result.nodeid,
        title=scenario.title if scenario else result.nodeid,
        feature=scenario.feature if scenario else "",
        rule=scenario.rule if scenario else "",
        file=scenario.file if scenario else result.nodeid.partition("::")[0],
        line=scenario.line if scenario else 1,
        checks=scenario.checks if scenario else (),
        tier=scenario.tier if scenario else "gate",
        disruptive=bool(scenario and scenario.disruptive),
        verdict=result.verdict,
        reason=result.reason,
        sentence=result.sentence,
        seconds=result.seconds,
        waited=result.waited,
        started=result.started,
        sentences=tuple(result.sentences),
        phases=tuple(result.phases),
        measurements=tuple(result.measurements),
        faults=tuple(result.faults),
        evidence=_relative(evidence, run.folder) if evidence else "",
        files=files,
        histories=tuple(file.path for file in files if file.path.endswith(HISTORY)),
        dirty=tuple(result.dirty),
    )


def _files(run_folder: Path, evidence: Path) -> Iterator[EvidenceFile]:
    for path in sorted(evidence.rglob("*")) if evidence.is_dir() else ():
        if path.is_file():
            yield EvidenceFile(_relative(path, run_folder), path.stat().st_size, is_binary(path))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def is_binary(path: Path) -> bool:
    """Whether the beginning of a file is no text in UTF-8."""
    with path.open("rb") as file:
        start = file.read(LOOK_AT_BYTES)
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start < len(start) - 3  # else a character was cut in two
    return b"\0" in start


def write(run: Run) -> RecordedRun:
    """Write `run.json`, with secrets masked, wholly or not at all.

    Args:
        run: Concluded.

    Returns:
        What was written.

    Raises:
        OSError: It cannot be written.
    """
    made = recorded(run)
    fresh = run.folder / f".{FILE}"
    try:
        fresh.write_text(dump(made), encoding="utf-8")
        fresh.replace(run.folder / FILE)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    return made


def newest_first(runs: Path) -> Iterator[dict[str, Any]]:
    """Read earlier records.

    Args:
        runs: The folder that holds one folder per run.

    Yields:
        Records of this schema, the newest first; files that cannot be read are passed over.
    """
    for path in sorted(runs.glob(f"*/{FILE}"), reverse=True):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(data, dict) and data.get("schema_version") == SCHEMA_VERSION:
            yield data
