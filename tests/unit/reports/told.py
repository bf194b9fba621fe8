"""Reads a record as somebody else would: with the library's own types, and nothing of ours."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cucumber_messages import Envelope, message_converter

IDS = {"id", "astNodeId", "astNodeIds"}


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check_schema(messages: Iterable[Mapping[str, Any]]) -> None:
    """Each message is of the schema: nothing required is missing, nothing is unknown, every word is one of the schema's."""
    for message in messages:
        assert message_converter.to_dict(message_converter.from_dict(message, Envelope)) == message


def without_ids(data: Any) -> Any:
    """A copy without what every writer chooses for itself; gherkin-official keeps blanks at the end of a description, others do not."""
    if isinstance(data, dict):
        kept = {key: without_ids(value) for key, value in data.items() if key not in IDS}
        return {**kept, "description": kept["description"].rstrip()} if "description" in kept else kept
    return [without_ids(entry) for entry in data] if isinstance(data, list) else data


class Told:
    """A record, by what it tells."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        """Sort them."""
        self.messages = messages
        self.by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for message in messages:
            [(kind, data)] = message.items()
            self.by_kind[kind].append(data)
        self.pickles = {pickle["id"]: pickle for pickle in self.by_kind["pickle"]}
        self.cases = {case["id"]: case for case in self.by_kind["testCase"]}
        self.attempts = {each["id"]: self.cases[each["testCaseId"]] for each in self.by_kind["testCaseStarted"]}

    def kinds(self) -> list[str]:
        """Kinds of messages in order."""
        return [next(iter(message)) for message in self.messages]

    def title(self, attempt: str) -> str:
        """Name of the pickle, and its line, as rows of an outline have one name."""
        pickle = self.pickles[self.attempts[attempt]["pickleId"]]
        return f"{pickle['name']}:{pickle['location']['line']}"

    def statuses(self, *, hooks: bool = False, uri: str = "") -> dict[str, list[str]]:
        """Statuses of the steps by scenario; every step has exactly one result, in order."""
        found: dict[str, list[str]] = {}
        results = {(each["testCaseStartedId"], each["testStepId"]): each["testStepResult"] for each in self.by_kind["testStepFinished"]}
        assert len(results) == len(self.by_kind["testStepFinished"]) == len(self.by_kind["testStepStarted"])
        for attempt, case in self.attempts.items():
            if uri and not self.pickles[case["pickleId"]]["uri"].endswith(uri):
                continue
            steps = [step for step in case["testSteps"] if hooks or "pickleStepId" in step]
            found[self.title(attempt)] = [results[attempt, step["id"]]["status"] for step in steps]
        return found

    def check_order(self) -> None:
        """Started before finished, everything inside of its case, every case ended, nothing points nowhere."""
        steps = {step["id"] for case in self.cases.values() for step in case["testSteps"]}
        hooks = {hook["id"] for hook in self.by_kind["hook"]}
        definitions = {each["id"] for each in self.by_kind["stepDefinition"]}
        for case in self.cases.values():
            assert case["pickleId"] in self.pickles
            for step in case["testSteps"]:
                assert step.get("hookId", next(iter(hooks))) in hooks
                assert set(step.get("stepDefinitionIds", ())) <= definitions
        open_cases, open_steps = set[str](), set[tuple[str, str]]()
        for message in self.messages:
            [(kind, data)] = message.items()
            step = (data.get("testCaseStartedId", ""), data.get("testStepId", ""))
            if kind == "testCaseStarted":
                open_cases.add(data["id"])
            elif kind == "testCaseFinished":
                open_cases.remove(data["testCaseStartedId"])
            elif kind == "testStepStarted":
                assert step[0] in open_cases
                assert step[1] in steps
                open_steps.add(step)
            elif kind == "testStepFinished":
                open_steps.remove(step)
            elif kind == "attachment" and step[0]:
                assert step in open_steps
        assert not open_cases
        assert not open_steps
        assert self.kinds()[0] == "meta"
        assert self.kinds()[-1] == "testRunFinished"
