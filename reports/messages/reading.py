"""From `messages.ndjson` back to a run that can be judged again; what is damaged is named by its line, the rest is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from model.catalogue import Catalogue
from model.errors import BadInput
from model.features import read_feature
from model.run import Result, Run, Setting
from model.story import Comparison, LabFacts, SuiteFacts
from reports.messages.words import BEGIN, END, RESULT, SCHEMA_VERSION
from reports.record import CHECKLIST, MESSAGES, PARTS


@dataclass
class Record:
    """What a record says.

    Attributes:
        folder: Of the run.
        asked: What was asked for.
        became: What became of the run; empty when it never ended.
        sources: Feature files by path, in order.
        results: Of scenarios that came to an end, by node id; the worst where there are several.
        lines: How many there are.
        troubles: What cannot be read, each with file and line.
    """

    folder: Path
    asked: Mapping[str, Any] = field(default_factory=dict)
    became: Mapping[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    lines: int = 0
    troubles: list[str] = field(default_factory=list)

    def take(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take one message in."""
        if kind == "source":
            self.sources[data["uri"]] = data["data"]
        elif kind == "attachment" and data["mediaType"] == BEGIN:
            self.asked = json.loads(data["body"])
        elif kind == "attachment" and data["mediaType"] == END:
            self.became = json.loads(data["body"])
        elif kind == "attachment" and data["mediaType"] == RESULT:
            result = Result.from_data(json.loads(data["body"]))
            known = self.results.get(result.nodeid)
            if known is None or known.verdict.severity < result.verdict.severity:
                self.results[result.nodeid] = result

    def damage(self) -> str:
        """What is missing, in one line; empty when nothing is."""
        parts = list(self.troubles)
        if not self.became:
            parts.append(f"the record ends early, after line {self.lines}")
        if not parts:
            return ""
        selected = self.asked["selected"]
        have = sum(nodeid in self.results for nodeid in selected)
        return f"{'; '.join(parts)}; readable: {self.lines - len(self.troubles)} lines, results of {have} of {len(selected)} scenarios"


def files_of(folder: Path) -> list[Path]:
    """The record, and parts of workers that nobody could merge."""
    return [path for path in (folder / MESSAGES, *sorted((folder / PARTS).glob("*.ndjson"))) if path.is_file()]


def messages(path: Path, troubles: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Messages of one file.

    Args:
        path: The file.
        troubles: Is told of lines that are none.

    Yields:
        Kind and content.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            try:
                [(kind, data)] = json.loads(line).items()
            except (ValueError, AttributeError):
                cut = "it was cut off" if not line.endswith("\n") else "it is damaged"
                troubles.append(f"{path.name}:{number}: this line is no message: {cut}")
                continue
            yield kind, data


def read(folder: Path) -> Record:
    """Read a record.

    Args:
        folder: `reports/runs/<id>`.

    Returns:
        What can be read of it.

    Raises:
        BadInput: There is none, it is of another version, or its beginning cannot be read.
    """
    found = Record(folder)
    paths = files_of(folder)
    if not paths:
        raise BadInput(f"there is no record in {folder}: {MESSAGES} is missing")
    for path in paths:
        for kind, data in messages(path, found.troubles):
            try:
                found.take(kind, data)
            except (ValueError, KeyError, TypeError, ValidationError) as error:
                found.troubles.append(f"{path.name}: a message of kind {kind} is damaged: {type(error).__name__}")
        found.lines += path.read_bytes().count(b"\n")
    if not found.asked:
        raise BadInput(
            f"{paths[0]}: what was asked for cannot be read, so nothing can be judged; {found.lines} lines, {'; '.join(found.troubles)}"
        )
    if found.asked["schema_version"] != SCHEMA_VERSION:
        raise BadInput(f"{paths[0]} is of schema {found.asked['schema_version']}; this suite reads {SCHEMA_VERSION}")
    return found


def rebuild(record: Record, root: Path) -> Run:
    """Make a run of a record, with results and universe, but without conclusion.

    Args:
        record: As it was read.
        root: An empty folder, into which the features are laid out as they were.

    Raises:
        BadInput: The checklist in it cannot be read.
    """
    for file, text in {CHECKLIST: record.asked["checklist"], **record.sources}.items():
        path = root / file
        if not path.resolve().is_relative_to(root.resolve()):
            continue  # a feature file from outside of the project: its scenarios keep their verdicts, but have no rows
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    catalogue, asked, became = Catalogue.load(root / CHECKLIST), record.asked, record.became
    setting = TypeAdapter(Setting).validate_python(asked["setting"])
    run = Run(asked["id"], record.folder, root, datetime.fromisoformat(asked["started"]), catalogue, setting)
    run.universe = [each for file in record.sources if (root / file).is_file() for each in read_feature(root / file, root, catalogue)]
    known = {scenario.nodeid: scenario for scenario in run.universe}
    for nodeid in dict.fromkeys([*asked["selected"], *record.results]):
        result = record.results.get(nodeid) or Result(nodeid, reason="the record has no result of it")
        if nodeid in known:
            result.complete(known[nodeid])
        run.results[nodeid] = result
    run.suite = TypeAdapter(SuiteFacts).validate_python(asked["suite"])
    run.lab = TypeAdapter(LabFacts | None).validate_python(became.get("lab"))
    run.comparison = TypeAdapter(Comparison | None).validate_python(became.get("comparison"))
    run.ended = datetime.fromisoformat(became["ended"]) if became else run.started
    run.stopped, run.interrupted = became.get("stopped", ""), became.get("interrupted", False)
    run.dirty, run.removal_seconds = list(became.get("dirty", ())), became.get("removal_seconds", 0.0)
    run.pytest_code, run.foreign_failures = became.get("pytest_code", 0), became.get("foreign_failures", 0)
    run.stopped = run.stopped or record.damage()
    return run
