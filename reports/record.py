"""The run record `run.json`: everything that reports, summaries and the next run's plan are told.

Schema version 1. Times are UTC in ISO 8601, durations in seconds, paths relative to the project.

`schema_version`, `id`, `started`, `ended`
    Which run, and when.
`driver`, `topology`, `tier`, `gate`
    What was asked for; `gate_met` tells whether all that it asks for was run.
`exit_code`, `conclusion`
    Of the process, and the verdict in one line.
`stopped`, `interrupted`, `dirty`
    Why we ended the run early (empty: we did not), whether somebody else did, and what could not be healed or removed.
`checks`
    One per applicable check that is not planned: `id`, `sentence`, `source`, `verdict` (passed, failed, inconclusive, not
    run), `words` (as told: *passed in part, 2 of 3*), `seconds`, `ran`, `applicable`, `reasons` (why scenarios were not
    run), `measurements`.
`planned`
    Ids of checks that have no scenario yet.
`scenarios`
    Those that were selected: `nodeid`, `title`, `feature`, `rule`, `file`, `line`, `checks`, `tier`, `disruptive`,
    `verdict`, `reason`, `sentence` (where it was decided), `seconds`, `sentences` (`text`, `line`, `seconds`, `passed`),
    `measurements` (`name`, `value`, `unit`, `limit` with `bound` and `kind` or null, `labels`, `scenario`, `checks`, `at`
    in seconds of the epoch), `evidence` (folder), `dirty`, `channel_lost`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.run import CheckRow, Run
from model.secrets import SECRETS

SCHEMA_VERSION = 1
FILE = "run.json"


def as_data(run: Run) -> dict[str, Any]:
    """Put a concluded run into the record's form (see the module's text for its keys)."""
    scenarios = {scenario.nodeid: scenario for scenario in run.universe}
    return {
        "schema_version": SCHEMA_VERSION,
        "id": run.id,
        "started": run.started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "driver": run.setting.driver,
        "topology": run.setting.topology,
        "tier": run.setting.tier,
        "gate": run.setting.gate.value,
        "gate_met": run.gate_met,
        "exit_code": int(run.exit_code),
        "conclusion": run.conclusion,
        "stopped": run.stopped,
        "interrupted": run.interrupted,
        "dirty": run.dirty,
        "checks": [_check(row) for row in run.rows],
        "planned": [check.id for check in run.catalogue if check.planned],
        "scenarios": [
            {
                **(
                    {
                        "title": scenario.title,
                        "feature": scenario.feature,
                        "rule": scenario.rule,
                        "file": scenario.file,
                        "line": scenario.line,
                        "checks": list(scenario.checks),
                        "tier": scenario.tier,
                        "disruptive": scenario.disruptive,
                    }
                    if (scenario := scenarios.get(nodeid))
                    else {}
                ),
                **result.as_data(),
            }
            for nodeid, result in run.results.items()
        ],
    }


def _check(row: CheckRow) -> dict[str, Any]:
    return {
        "id": row.check.id,
        "sentence": row.check.sentence,
        "source": row.check.source,
        "verdict": row.verdict.value,
        "words": row.words,
        "seconds": round(row.seconds, 3),
        "ran": row.ran,
        "applicable": row.applicable,
        "reasons": list(row.reasons),
        "measurements": [entry.as_data() for entry in row.measurements],
    }


def write(run: Run) -> Path:
    """Write the record, with secrets masked.

    Args:
        run: Concluded.

    Returns:
        The file.
    """
    path = run.folder / FILE
    path.write_text(SECRETS.mask(json.dumps(as_data(run), indent=1, ensure_ascii=False)) + "\n", encoding="utf-8")
    return path


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
