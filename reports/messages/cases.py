"""One scenario as a test case: set-up, every sentence, healing, recovery, invariants, clean-up, each with a result."""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cucumber_messages import (
    Envelope,
    Location,
    SourceReference,
    StepDefinition,
    StepDefinitionPattern,
    StepDefinitionPatternType,
    StepMatchArgumentsList,
    TestCase,
    TestCaseFinished,
    TestCaseStarted,
    TestStep,
    TestStepFinished,
    TestStepStarted,
)

from model.run import Result
from model.story import Definition, PhaseResult, SentenceResult, Status
from reports.messages.words import AFTER, LOG, RESULT, SET_UP, attachment, hook_id, moment, outcome

NOTHING_OWED = "nothing was owed"
CLEAN_UP = AFTER[-1]


def definition_id(definition: Definition) -> str:
    """The same in every process; one function may have several patterns."""
    return f"step-{re.sub(r'[^a-z0-9]+', '-', definition.file.lower())}-{definition.line}-{zlib.crc32(definition.pattern.encode()):08x}"


def definition_of(definition: Definition) -> Envelope:
    """A step definition as a message."""
    kinds = StepDefinitionPatternType
    kind = kinds.regular_expression if definition.regular else kinds.cucumber_expression
    place = SourceReference(uri=definition.file, location=Location(definition.line))
    pattern = StepDefinitionPattern(definition.pattern, kind)
    return Envelope(step_definition=StepDefinition(definition_id(definition), pattern, place))


@dataclass(frozen=True)
class Case:
    """A test case and its one attempt.

    Attributes:
        id: Of the test case; the attempt's adds a word.
        pickle: What is acted out.
        definitions: Of each sentence; empty where none was looked for.
    """

    id: str
    pickle: Mapping[str, Any]
    definitions: Sequence[Sequence[Definition]] = ()

    @property
    def attempt(self) -> str:
        """Id of the attempt."""
        return f"{self.id}-attempt"

    @property
    def sentences(self) -> int:
        """How many there are."""
        return len(self.pickle["steps"])

    def step_id(self, position: int) -> str:
        """Id of a step: 0 is the set-up, then come the sentences, then what is owed after them."""
        return f"{self.id}-{position}"

    def position_of(self, phase: str) -> int:
        """Where a phase stands."""
        return 0 if phase == SET_UP else 1 + self.sentences + AFTER.index(phase)

    @property
    def end(self) -> int:
        """One past the last step."""
        return 1 + self.sentences + len(AFTER)

    def begin(self, run_id: str, at: float, worker: str = "") -> Iterator[Envelope]:
        """The test case, and that its attempt began."""
        steps = [TestStep(self.step_id(0), hook_id=hook_id(SET_UP))]
        for number, step in enumerate(self.pickle["steps"]):
            found = [definition_id(each) for each in self.definitions[number]] if self.definitions else []
            arguments = [StepMatchArgumentsList([]) for _ in found]
            steps.append(TestStep(self.step_id(1 + number), None, step["id"], found, arguments))
        steps += [TestStep(self.step_id(self.position_of(name)), hook_id=hook_id(name)) for name in AFTER]
        yield Envelope(test_case=TestCase(self.id, self.pickle["id"], steps, run_id))
        yield Envelope(test_case_started=TestCaseStarted(0, self.attempt, self.id, moment(at), worker or None))

    def started(self, position: int, at: float) -> Envelope:
        """A step began."""
        return Envelope(test_step_started=TestStepStarted(self.attempt, self.step_id(position), moment(at)))

    def finished(self, position: int, at: float, status: Status, seconds: float = 0.0, reason: str = "") -> Envelope:
        """A step ended."""
        result = outcome(status, seconds, reason)
        return Envelope(test_step_finished=TestStepFinished(self.attempt, self.step_id(position), result, moment(at)))

    def said(self, position: int, body: str, media_type: str = LOG, **more: Any) -> Envelope:
        """Something that goes along with a step."""
        return attachment(body, media_type, test_case_started_id=self.attempt, test_step_id=self.step_id(position), **more)

    def over(self, at: float) -> Envelope:
        """The attempt ended; there is never another one."""
        return Envelope(test_case_finished=TestCaseFinished(self.attempt, moment(at), will_be_retried=False))


class CaseTeller:
    """Puts what happens in a scenario into messages, in order, leaving no step without a result."""

    def __init__(self, case: Case, result: Result) -> None:
        """Tell a case that begins; `result` is filled in while it runs."""
        self.case, self.result = case, result
        self._next, self._under_way = 0, False
        self._measured = 0

    def sentence_begins(self, at: float) -> Iterator[Envelope]:
        """The next sentence is acted out."""
        self._under_way = True
        yield self.case.started(self._next, at)

    def sentence(self, sentence: SentenceResult) -> Iterator[Envelope]:
        """A sentence ended."""
        began = sentence.started or time.time()
        if not self._under_way:
            yield self.case.started(self._next, began)
        yield from self._numbers()
        yield self.case.finished(self._next, began + sentence.seconds, sentence.status, sentence.seconds, sentence.reason)
        self._next, self._under_way = self._next + 1, False

    def phase(self, phase: PhaseResult) -> Iterator[Envelope]:
        """Set-up, healing, recovery or invariants ended; clean-up waits for `end`."""
        if phase.name == CLEAN_UP:
            return
        position = self.case.position_of(phase.name)
        yield from self._skip_to(position, phase.started)
        yield self.case.started(position, phase.started)
        yield from self._numbers()
        if phase.name == "healing":
            yield from (self.case.said(position, _told(strike)) for strike in self.result.faults)
        yield self.case.finished(position, phase.started + phase.seconds, phase.status, phase.seconds, phase.reason)
        self._next = position + 1

    def _skip_to(self, position: int, at: float) -> Iterator[Envelope]:
        """Give a result to all that were passed over."""
        unhealed = any(phase.name == "healing" and phase.status is not Status.PASSED for phase in self.result.phases)
        while self._next < position:
            number = self._next - 1
            if 0 <= number < self.case.sentences:
                known = self.result.sentences[number : number + 1]
                status, reason = (known[0].status, known[0].reason) if known else (Status.SKIPPED, "")
            else:
                status, reason = self._of_phase(unhealed=unhealed)
            if not self._under_way:
                yield self.case.started(self._next, at)
            yield self.case.finished(self._next, at, status, 0.0, reason)
            self._next, self._under_way = self._next + 1, False

    def _of_phase(self, *, unhealed: bool) -> tuple[Status, str]:
        if self.result.started is None or self._next == 0:
            return Status.SKIPPED, ""
        if unhealed and self._next == self.case.position_of("recovery"):
            return Status.SKIPPED, "healing failed"
        return Status.PASSED, NOTHING_OWED

    def _numbers(self) -> Iterator[Envelope]:
        fresh = self.result.measurements[self._measured :]
        self._measured += len(fresh)
        yield from (self.case.said(self._next, entry.sentence()) for entry in fresh)

    def end(self, files: Iterable[tuple[str, str, str]] = ()) -> Iterator[Envelope]:
        """The scenario is over.

        Args:
            files: Evidence: body, media type and name of the file.
        """
        cleaned = next((phase for phase in self.result.phases if phase.name == CLEAN_UP), None)
        began = cleaned.started if cleaned else time.time()
        last = self.case.end - 1
        yield from self._skip_to(last, began)
        yield self.case.started(last, began)
        for body, media_type, name in files:
            yield self.case.said(last, body, media_type, file_name=name)
        yield self.case.said(last, json.dumps(self.result.as_data(), ensure_ascii=False), RESULT)
        status, reason = (cleaned.status, cleaned.reason) if cleaned else (Status.SKIPPED, "the run ended before it")
        ended = began + (cleaned.seconds if cleaned else 0.0)
        yield self.case.finished(last, ended, status, ended - began, reason)
        yield self.case.over(ended)


def _told(strike: Any) -> str:
    """A fault, for people."""
    words = [f"fault: {strike.title} on {', '.join(strike.machines)}"]
    if strike.injected is None:
        return f"{words[0]}; it could not be injected"
    words.append(f"seen from outside after {strike.proven - strike.injected:.1f} s" if strike.proven else "never seen from outside")
    words.append(f"healed after {strike.healed - strike.injected:.1f} s" if strike.healed else "not healed")
    return "; ".join(words)
