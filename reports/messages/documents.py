"""Feature files as messages: source, document, pickles; and which pickle is which scenario."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gherkin.ast_builder import AstBuilder
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler
from gherkin.stream.gherkin_events import GherkinEvents

from model.run import Run
from model.scenario import Scenario

GHERKIN = "text/x.cucumber.gherkin+plain"


class _Ids:
    """Ids that depend on the file alone: every process gives the same ones, and links into pages stay."""

    def __init__(self, uri: str) -> None:
        self._prefix, self._count = re.sub(r"[^\w]+", "-", uri), 0

    def get_next_id(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"


def envelopes_of(uri: str, text: str) -> Iterator[Mapping[str, Any]]:
    """Source, document and pickles of one feature file; where it is no Gherkin, the source and what is wrong with it."""
    events = GherkinEvents(GherkinEvents.Options(print_source=False, print_ast=True, print_pickles=True))
    ids = _Ids(uri)
    events.parser, events.compiler = Parser(AstBuilder(ids)), Compiler(ids)  # type: ignore[arg-type]
    source = {"source": {"uri": uri, "data": text, "mediaType": GHERKIN}}
    yield source
    for envelope in events.enum(source):  # type: ignore[arg-type]
        yield _in_words_of_the_schema(envelope)


def _in_words_of_the_schema(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parse error of gherkin-official has the place one level too high."""
    if "parseError" not in envelope:
        return envelope
    place = envelope["parseError"]["source"]
    return {"parseError": {"source": {"uri": place["uri"], "location": place["location"]}, "message": envelope["parseError"]["message"]}}


def sources(run: Run) -> dict[str, str]:
    """Text of every feature file that was read, by path, in order."""
    return {file: _text(path) for file, path in {scenario.file: scenario.path for scenario in run.universe}.items()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class Pickles:
    """Finds the pickle of a scenario by file and line; an outline's rows have lines of their own."""

    def __init__(self) -> None:
        """Know none yet; files are read when they are asked for."""
        self._by_place: dict[str, dict[int, Mapping[str, Any]]] = {}

    def of(self, scenario: Scenario) -> Mapping[str, Any] | None:
        """The pickle; None for what is no Gherkin."""
        if scenario.file not in self._by_place:
            found = envelopes_of(scenario.file, _text(scenario.path))
            pickles = [envelope["pickle"] for envelope in found if "pickle" in envelope]
            self._by_place[scenario.file] = {pickle["location"]["line"]: pickle for pickle in pickles}
        return self._by_place[scenario.file].get(scenario.row or scenario.line)
