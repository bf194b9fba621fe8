"""A few Cucumber Messages, as a recorder writes them: one feature, a scenario per check, one line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write(path: Path, scenarios: list[tuple[str, str, str]], attachment: str = "") -> None:
    """Write a record.

    Args:
        path: The file.
        scenarios: Check, title and status (`PASSED`, `FAILED`) of each.
        attachment: Text attached to the first one's only step.
    """
    lines = ["Feature: Recorded", ""]
    children, pickles, cases, happened = [], [], [], []
    moment = {"seconds": 1_770_000_000, "nanos": 0}
    for number, (check, title, status) in enumerate(scenarios):
        row = len(lines) + 1
        lines += [f"  @check:{check}", f"  Scenario: {title}", "    Then it holds", ""]
        names = {kind: f"{kind}{number}" for kind in ("tag", "scenario", "step", "pickle", "pickleStep", "case", "caseStep", "began")}
        children.append({"scenario": _scenario(names, row, check, title)})
        pickles.append(_pickle(names, check, title))
        cases.append({"testCase": _case(names)})
        happened += _happened(names, status, moment)
    if attachment:
        where = {"testCaseStartedId": "began0", "testStepId": "caseStep0"}
        text = {"body": attachment, "mediaType": "text/plain", "contentEncoding": "IDENTITY", "fileName": "journal.txt"}
        happened.insert(2, {"attachment": {**where, **text}})
    feature = {
        "location": _at(1),
        "tags": [],
        "language": "en",
        "keyword": "Feature",
        "name": "Recorded",
        "description": "",
        "children": children,
    }
    program = {"name": "tofu-ha-acceptance", "version": "0"}
    parts: list[dict[str, Any]] = [
        {"meta": {"protocolVersion": "32.0.0", "implementation": program, "runtime": program, "os": program, "cpu": {"name": "x"}}},
        {"source": {"uri": "features/a.feature", "data": "\n".join(lines), "mediaType": "text/x.cucumber.gherkin+plain"}},
        {"gherkinDocument": {"uri": "features/a.feature", "feature": feature, "comments": []}},
        *pickles,
        {"testRunStarted": {"timestamp": moment}},
        *cases,
        *happened,
        {"testRunFinished": {"success": all(status == "PASSED" for *_, status in scenarios), "timestamp": moment}},
    ]
    path.write_text("".join(json.dumps(part) + "\n" for part in parts), encoding="utf-8")


def _at(line: int) -> dict[str, int]:
    return {"line": line, "column": 3}


def _scenario(names: dict[str, str], row: int, check: str, title: str) -> dict[str, Any]:
    step = {"id": names["step"], "location": _at(row + 2), "keyword": "Then ", "keywordType": "Outcome", "text": "it holds"}
    return {
        "id": names["scenario"],
        "tags": [{"id": names["tag"], "location": _at(row), "name": f"@check:{check}"}],
        "location": _at(row + 1),
        "keyword": "Scenario",
        "name": title,
        "description": "",
        "steps": [step],
        "examples": [],
    }


def _pickle(names: dict[str, str], check: str, title: str) -> dict[str, Any]:
    step = {"id": names["pickleStep"], "text": "it holds", "type": "Outcome", "astNodeIds": [names["step"]]}
    return {
        "pickle": {
            "id": names["pickle"],
            "uri": "features/a.feature",
            "name": title,
            "language": "en",
            "steps": [step],
            "tags": [{"name": f"@check:{check}", "astNodeId": names["tag"]}],
            "astNodeIds": [names["scenario"]],
        }
    }


def _case(names: dict[str, str]) -> dict[str, Any]:
    step = {"id": names["caseStep"], "pickleStepId": names["pickleStep"], "stepDefinitionIds": [], "stepMatchArgumentsLists": []}
    return {"id": names["case"], "pickleId": names["pickle"], "testSteps": [step]}


def _happened(names: dict[str, str], status: str, moment: dict[str, int]) -> list[dict[str, Any]]:
    step = {"testCaseStartedId": names["began"], "testStepId": names["caseStep"], "timestamp": moment}
    result: dict[str, Any] = {"status": status, "duration": {"seconds": 1, "nanos": 0}}
    if status == "FAILED":
        result["message"] = "expected </script><script>window.broken = true</script>; observed <!-- nothing"
    return [
        {"testCaseStarted": {"id": names["began"], "testCaseId": names["case"], "attempt": 0, "timestamp": moment}},
        {"testStepStarted": step},
        {"testStepFinished": {**step, "testStepResult": result}},
        {"testCaseFinished": {"testCaseStartedId": names["began"], "willBeRetried": False, "timestamp": moment}},
    ]
