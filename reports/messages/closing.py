"""Head and tail of the record: what was asked for, parts of workers in order, scenarios that never came to an end."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cucumber_messages import Envelope, TestRunFinished, TestRunStarted, TestStepResult
from pydantic import TypeAdapter

from model.run import Result, Run
from model.secrets import SECRETS
from model.story import Comparison, LabFacts, Status, SuiteFacts
from reports.messages.cases import Case, CaseTeller
from reports.messages.documents import Pickles, envelopes_of, sources
from reports.messages.words import (
    BEGIN,
    END,
    LAB_BUILT,
    LAB_REMOVED,
    RESULT,
    RUN_BEGINS,
    RUN_ENDS,
    SCHEMA_VERSION,
    attachment,
    hooks,
    meta,
    moment,
    outcome,
    run_hook,
)
from reports.messages.writer import MessageWriter
from reports.record import CHECKLIST, MESSAGES, PARTS


def begin(run: Run) -> None:
    """Write what was asked for, and every feature file, whether selected or not: verdicts are counted against all of them."""
    writer = MessageWriter(run.folder / MESSAGES)
    writer.write(meta(run.suite.version))
    for uri, text in sources(run).items():
        writer.write(*envelopes_of(uri, text))
    writer.write(*hooks(), Envelope(test_run_started=TestRunStarted(moment(run.started), run.id)))
    asked = {
        "schema_version": SCHEMA_VERSION,
        "id": run.id,
        "started": run.started.isoformat(),
        "setting": {**asdict(run.setting), "gate": run.setting.gate.value},
        "suite": TypeAdapter(SuiteFacts).dump_python(run.suite, mode="json"),
        "checklist": _checklist(run),
        "selected": list(run.results),
    }
    at = run.started.timestamp()
    said = attachment(_text(asked), BEGIN)
    writer.write(*run_hook(RUN_BEGINS, run.id, (at, time.time()), outcome(Status.PASSED), [said]))


def _checklist(run: Run) -> str:
    path = run.root / CHECKLIST
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _text(data: dict[str, Any]) -> str:
    """JSON, masked before it is escaped."""
    return json.dumps(SECRETS.mask_all(data), ensure_ascii=False)


def _ending(run: Run) -> TestStepResult:
    """How the run ended, apart from its scenarios."""
    if run.interrupted:
        return outcome(Status.SKIPPED, reason="interrupted")
    if run.stopped or run.dirty:
        return outcome(Status.INCONCLUSIVE, reason="\n".join([*([run.stopped] if run.stopped else []), *run.dirty]))
    return outcome(Status.PASSED)


def end(run: Run) -> str:
    """Merge the parts, give every scenario an end, and write what became of the run.

    Args:
        run: Concluded.

    Returns:
        Why the record is not whole; empty when it is.
    """
    writer, parts = MessageWriter(run.folder / MESSAGES, "end-"), run.folder / PARTS
    if not (run.folder / MESSAGES).exists():
        begin(run)  # collecting failed, so nobody knew what was selected
    told = _Told()
    for path in sorted(parts.glob("*.ndjson")):
        told.read(path)
    if told.attempts:
        writer.append([*told.definitions.values(), *(line for attempt in told.attempts for line in attempt.lines)])
    else:
        told.read(run.folder / MESSAGES)
    writer.write(*_endings(run, told, writer), *_tail(run))
    if not writer.broken:
        shutil.rmtree(parts, ignore_errors=True)
    return writer.broken


def _endings(run: Run, told: _Told, writer: MessageWriter) -> Iterator[Envelope]:
    """What is missing of scenarios that never began, or whose process died."""
    scenarios, attempts, pickles = {each.nodeid: each for each in run.universe}, {each.pickle_id: each for each in told.attempts}, Pickles()
    for nodeid, result in run.results.items():
        pickle = pickles.of(scenarios[nodeid]) if nodeid in scenarios else None
        if pickle is None:
            continue
        attempt = attempts.get(pickle["id"])
        if attempt is None:
            case = Case(writer.new_id(), pickle)
            yield from case.begin(run.id, time.time())
            yield from CaseTeller(case, result).end()
        elif not attempt.over:
            yield from attempt.completed(pickle, result)


def _without_pickle(run: Run) -> list[Result]:
    """Results of what is no Gherkin: there is no test case that could carry them."""
    scenarios, pickles = {each.nodeid: each for each in run.universe}, Pickles()
    return [result for nodeid, result in run.results.items() if nodeid not in scenarios or pickles.of(scenarios[nodeid]) is None]


def _tail(run: Run) -> Iterator[Envelope]:
    ended = (run.ended or run.started).timestamp()
    lab = TypeAdapter(LabFacts | None).dump_python(run.lab, mode="json")
    became = {
        "pytest_code": run.pytest_code,
        "foreign_failures": run.foreign_failures,
        "stopped": run.stopped,
        "interrupted": run.interrupted,
        "dirty": run.dirty,
        "lab": lab,
        "comparison": TypeAdapter(Comparison | None).dump_python(run.comparison, mode="json"),
        "removal_seconds": run.removal_seconds,
        "ended": (run.ended or run.started).isoformat(),
    }
    if run.lab is not None:
        facts = "\n".join(f"{each.name}: {each.role}, {each.address}" for each in run.lab.machines)
        settings = [attachment(text, "text/plain", file_name=place) for place, text in {**run.lab.backend, **run.lab.balancer}.items()]
        said = [attachment(facts, "text/plain", file_name="machines"), *settings]
        yield from run_hook(LAB_BUILT, run.id, (run.lab.up - run.lab.seconds, run.lab.up), outcome(Status.PASSED, run.lab.seconds), said)
        status = Status.INCONCLUSIVE if run.dirty else Status.PASSED
        at, removed = (ended - run.removal_seconds, ended), outcome(status, run.removal_seconds, "\n".join(run.dirty))
        yield from run_hook(LAB_REMOVED, run.id, at, removed)
    results = [attachment(json.dumps(result.as_data(), ensure_ascii=False), RESULT) for result in _without_pickle(run)]
    said = [*results, attachment(_text(became), END)]
    yield from run_hook(RUN_ENDS, run.id, (ended, ended), _ending(run), said)
    message = f"{run.conclusion} Exit code {run.exit_code}."
    yield Envelope(test_run_finished=TestRunFinished(run.exit_code == 0, moment(ended), message=message, test_run_started_id=run.id))


@dataclass
class _Attempt:
    """What was written of one attempt."""

    case_id: str
    pickle_id: str
    started: float = 0.0
    lines: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    under_way: str = ""
    over: bool = False

    def completed(self, pickle: Mapping[str, Any], result: Result) -> Iterator[Envelope]:
        """Messages that bring an attempt to an end whose process died."""
        case, now = Case(self.case_id, pickle), time.time()
        for position in range(case.end - 1):
            step = case.step_id(position)
            if step in self.done:
                continue
            if step == self.under_way:
                yield case.finished(position, now, Status.INCONCLUSIVE, 0.0, result.reason)
            else:
                yield case.started(position, now)
                yield case.finished(position, now, Status.SKIPPED)
        last = case.end - 1
        if self.under_way != case.step_id(last):
            yield case.started(last, now)
        yield case.said(last, json.dumps(result.as_data(), ensure_ascii=False), RESULT)
        yield case.finished(last, now, Status.of(result.verdict), 0.0, result.reason)
        yield case.over(now)


class _Told:
    """What was written already."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.definitions: dict[str, str] = {}
        self._attempts: dict[str, _Attempt] = {}
        self._cases: dict[str, _Attempt] = {}

    @property
    def attempts(self) -> list[_Attempt]:
        """In the order in which they began."""
        return sorted(self._cases.values(), key=lambda each: each.started)

    def read(self, path: Path) -> None:
        """Take a file in; a line that was cut is left out."""
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
            try:
                [(kind, data)] = json.loads(line).items()
            except ValueError:
                continue
            if kind == "stepDefinition":
                self.definitions.setdefault(data["id"], line)
            elif (attempt := self._attempt(kind, data)) is not None:
                attempt.lines.append(line)

    def _attempt(self, kind: str, data: Mapping[str, Any]) -> _Attempt | None:
        if kind == "testCase":
            return self._cases.setdefault(data["id"], _Attempt(data["id"], data["pickleId"]))
        if kind == "testCaseStarted":
            attempt = self._attempts[data["id"]] = self._cases[data["testCaseId"]]
            attempt.started = data["timestamp"]["seconds"] + data["timestamp"]["nanos"] / 1e9
            return attempt
        found = self._attempts.get(data.get("testCaseStartedId", ""))
        if found is not None:
            if kind == "testStepStarted":
                found.under_way = data["testStepId"]
            elif kind == "testStepFinished":
                found.done.add(data["testStepId"])
            found.over = found.over or kind == "testCaseFinished"
        return found
