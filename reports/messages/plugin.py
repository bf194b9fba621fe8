"""pytest plugin that writes down what happens while it happens, in the process that runs the scenarios."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from cucumber_messages import Envelope
from pytest_bdd.parser import Step

from model.run import DEFINITIONS, RESULT, RUN, SCENARIO, Run
from model.story import PhaseResult, SentenceResult
from reports.messages.cases import Case, CaseTeller, definition_id, definition_of
from reports.messages.closing import begin
from reports.messages.documents import Pickles
from reports.messages.evidence import files_of
from reports.messages.writer import MessageWriter
from reports.record import MESSAGES, PARTS

TELLER: pytest.StashKey[CaseTeller] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Write where scenarios are run; under xdist that is in the workers, each into a part of its own."""
    run = config.stash.get(RUN, None)
    if run is None or run.dry:
        return
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    if not worker:
        config.pluginmanager.register(Opening(run), "acceptance-messages-opening")
    if worker or not getattr(config.option, "numprocesses", None):
        path = run.folder / PARTS / f"{worker}.ndjson" if worker else run.folder / MESSAGES
        config.pluginmanager.register(MessageRecorder(run, MessageWriter(path, f"{worker or 'main'}-"), worker), "acceptance-messages")


class Opening:
    """Writes the head of the record as soon as it is known what was selected."""

    def __init__(self, run: Run) -> None:
        """Nothing is written yet."""
        self.run, self._done = run, False

    def _begin(self) -> None:
        if not self._done:
            begin(self.run)
            self._done = True

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Known, without workers."""
        self._begin()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """Known from the first worker."""
        self._begin()


class MessageRecorder:
    """Turns our hooks into messages."""

    def __init__(self, run: Run, writer: MessageWriter, worker: str) -> None:
        """Write for one process."""
        self.run, self.writer, self.worker = run, writer, worker
        self._pickles, self._defined = Pickles(), set[str]()

    def _tell(self, item: pytest.Item, envelopes: Iterable[Envelope]) -> None:
        if TELLER in item.stash:
            self.writer.write(*envelopes)

    @pytest.hookimpl(trylast=True)
    def pytest_acceptance_began(self, item: pytest.Item) -> None:
        """A test case, with the step definitions that it is the first to use."""
        pickle = self._pickles.of(item.stash[SCENARIO])
        if pickle is None:
            return
        definitions = item.stash.get(DEFINITIONS, ())
        fresh = {definition_id(each): each for found in definitions for each in found}
        self.writer.write(*(definition_of(each) for id_, each in fresh.items() if id_ not in self._defined))
        self._defined |= fresh.keys()
        case = Case(self.writer.new_id(), pickle, definitions)
        item.stash[TELLER] = CaseTeller(case, item.stash[RESULT])
        self.writer.write(*case.begin(self.run.id, time.time(), self.worker))

    def pytest_bdd_before_step(self, request: pytest.FixtureRequest, step: Step) -> None:
        """A sentence begins."""
        del step
        if TELLER in request.node.stash:
            self._tell(request.node, request.node.stash[TELLER].sentence_begins(time.time()))

    def pytest_acceptance_sentence(self, item: pytest.Item, sentence: SentenceResult) -> None:
        """A sentence ended."""
        if TELLER in item.stash:
            self._tell(item, item.stash[TELLER].sentence(sentence))

    def pytest_acceptance_phase(self, item: pytest.Item, phase: PhaseResult) -> None:
        """What surrounds the sentences ended."""
        if TELLER in item.stash:
            self._tell(item, item.stash[TELLER].phase(phase))

    def pytest_acceptance_ended(self, item: pytest.Item) -> None:
        """The scenario is over."""
        if TELLER in item.stash:
            folder = self.run.evidence_of(item.stash[SCENARIO])
            self._tell(item, item.stash[TELLER].end(files_of(folder, self.run.folder)))
            del item.stash[TELLER]
