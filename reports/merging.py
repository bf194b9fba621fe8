"""Shards of a pipeline become one run: their scenarios, evidence and records are put together and judged as a whole."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.conclusion import conclude
from model.errors import BadInput
from model.run import Run, new_run_id
from model.story import Comparison
from model.verdicts import Gate
from reports import record
from reports.messages import closing, reading
from reports.messages.writer import MessageWriter
from reports.record import MESSAGES
from reports.recorded import RecordedRun

SAME = ("driver", "topology", "tier")
OF_CASES = ("testCase", "testCaseStarted", "testStepStarted", "testStepFinished", "testCaseFinished")
IDS = ("id", "testCaseId", "testCaseStartedId", "testStepId")


def merge(folders: Sequence[Path], runs: Path, gate: Gate = Gate.ALL) -> RecordedRun:
    """Merge runs into a new one.

    Args:
        folders: Of the runs.
        runs: Where the new one's folder is made.
        gate: What must have been observed by all of them together.

    Returns:
        The new run.

    Raises:
        BadInput: They are of different features, labs or tiers, or a record cannot be read.
    """
    found = [reading.read(folder) for folder in folders]
    first = found[0]
    for other in found[1:]:
        for name in SAME:
            one, two = first.asked["setting"][name], other.asked["setting"][name]
            if one != two:
                raise BadInput(f"{first.asked['id']} and {other.asked['id']} cannot be merged: {name} is {one!r} and {two!r}")
        if (other.sources, other.asked["checklist"]) != (first.sources, first.asked["checklist"]):
            raise BadInput(f"{first.asked['id']} and {other.asked['id']} cannot be merged: they ran different features")
    with tempfile.TemporaryDirectory(prefix="acceptance-") as root:
        parts = [reading.rebuild(each, Path(root)) for each in found]
        run = _together(parts, runs, gate)
        run.folder.mkdir(parents=True)
        for part in parts:
            if (part.folder / "evidence").is_dir():
                shutil.copytree(part.folder / "evidence", run.folder / "evidence", dirs_exist_ok=True)
        conclude(run, pytest_code=run.pytest_code, foreign_failures=run.foreign_failures)
        closing.begin(run)
        writer = MessageWriter(run.folder / MESSAGES)
        writer.append(_cases(found, run.id))
        closing.end(run)
        return record.write(run)


def _together(parts: Sequence[Run], runs: Path, gate: Gate) -> Run:
    first = parts[0]
    id_ = new_run_id()
    run = Run(id_, runs / id_, first.root, min(part.started for part in parts), first.catalogue, replace(first.setting, gate=gate))
    run.universe, run.suite, run.lab = first.universe, first.suite, next((part.lab for part in parts if part.lab), None)
    run.ended = max((part.ended for part in parts if part.ended), default=None)
    for part in parts:
        for nodeid, result in part.results.items():
            known = run.results.get(nodeid)
            if known is None or known.verdict.severity < result.verdict.severity or known.started is None:
                run.results[nodeid] = result
        run.dirty += [entry for entry in part.dirty if entry not in run.dirty]
        run.stopped = run.stopped or part.stopped
        run.interrupted = run.interrupted or part.interrupted
        run.foreign_failures += part.foreign_failures
        run.removal_seconds += part.removal_seconds
    run.pytest_code = max(part.pytest_code for part in parts)
    run.comparison = _compared(parts)
    return run


def _compared(parts: Sequence[Run]) -> Comparison | None:
    """What any of them left in a lab that is not ours, and which of them could not tell; None where none was in such a lab."""
    made = {part.id: part.comparison for part in parts}
    told = [each for each in made.values() if each is not None]
    if not told:
        return None
    silent = [f"run {id_} compared nothing" for id_, each in made.items() if each is None]
    return Comparison(
        _each_once(name for each in told for name in each.left),
        _each_once(name for each in told for name in each.changed),
        _each_once([*(name for each in told for name in each.unseen), *silent]),
        "; ".join(_each_once(each.compared for each in told if each.compared)),
    )


def _each_once(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _cases(found: Sequence[reading.Record], run_id: str) -> Iterator[str]:
    """Test cases of all, their ids told apart by the number of the shard; step definitions once."""
    defined: set[str] = set()
    for number, each in enumerate(found, start=1):
        for path in reading.files_of(each.folder):
            for kind, data in reading.messages(path, []):
                if kind == "stepDefinition" and data["id"] not in defined:
                    defined.add(data["id"])
                    yield json.dumps({kind: data}, ensure_ascii=False)
                elif kind in OF_CASES or (kind == "attachment" and "testCaseStartedId" in data):
                    yield json.dumps({kind: _renamed(data, f"shard{number}-", run_id)}, ensure_ascii=False)


def _renamed(data: Mapping[str, Any], prefix: str, run_id: str) -> dict[str, Any]:
    renamed = {name: f"{prefix}{value}" if name in IDS else value for name, value in data.items()}
    if "testSteps" in data:
        renamed["testSteps"] = [{**step, "id": f"{prefix}{step['id']}"} for step in data["testSteps"]]
    if "testRunStartedId" in data:
        renamed["testRunStartedId"] = run_id
    return renamed
