"""Which verdicts ever differed between runs, and where the evidence of each lies."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.host import ROOT
from model.verdicts import Verdict

KEPT = ROOT / "reports/soak"
"""Records of all soak runs, as `reports/runs` keeps the newest alone; evidence only of what did not pass."""


@dataclass(frozen=True)
class Deviation:
    """One scenario in one run.

    Attributes:
        run: Its id.
        verdict: What it came to there.
        reason: Why.
        evidence: Folder, if there is any.
    """

    run: str
    verdict: str
    reason: str
    evidence: Path | None


@dataclass(frozen=True)
class Difference:
    """A scenario whose verdict was not always the same.

    Attributes:
        nodeid: The scenario.
        verdicts: How often it came to which.
        deviations: Every run in which it came to another verdict than most often.
    """

    nodeid: str
    verdicts: Counter[str]
    deviations: tuple[Deviation, ...]

    def sentences(self) -> list[str]:
        """For people, the scenario first."""
        told = ", ".join(f"{count} x {verdict}" for verdict, count in self.verdicts.most_common())
        lines = [f"{self.nodeid}: {told}"]
        for each in self.deviations:
            lines.append(f"  {each.run}: {each.verdict}: {each.reason.splitlines()[0] if each.reason else 'no reason was told'}")
            if each.evidence is not None:
                lines.append(f"    evidence: {each.evidence}")
        return lines


def keep(folder: Path, kept: Path = KEPT) -> None:
    """Keep what a comparison needs of a run.

    Args:
        folder: Of the run, with its `run.json`.
        kept: Where to.
    """
    target = kept / folder.name
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy2(folder / "run.json", target)
    if (folder / "evidence").is_dir():
        shutil.copytree(folder / "evidence", target / "evidence", dirs_exist_ok=True)


def record_of(run: str, kept: Path = KEPT) -> dict[str, Any] | None:
    """The record of a run; None where it is not kept here, as another machine had it."""
    record = kept / run / "run.json"
    return json.loads(record.read_text(encoding="utf-8")) if record.exists() else None


def differences(runs: Iterable[str], kept: Path = KEPT) -> list[Difference]:
    """Scenarios that did not come to the same verdict in all of these runs.

    Args:
        runs: Ids of runs; those whose record is not kept here (another machine had them) are left out.
        kept: Where records are kept.
    """
    seen: dict[str, list[Deviation]] = {}
    for run in runs:
        for entry in (record_of(run, kept) or {"scenarios": ()})["scenarios"]:
            seen.setdefault(entry["nodeid"], []).append(_as_deviation(run, entry, kept))
    return [found for nodeid, entries in sorted(seen.items()) if (found := _difference(nodeid, entries)).deviations]


def _as_deviation(run: str, entry: dict[str, Any], kept: Path) -> Deviation:
    evidence = kept / run / entry["evidence"] if entry.get("evidence") else None
    return Deviation(run, entry["verdict"], entry.get("reason", ""), evidence if evidence is not None and evidence.is_dir() else None)


def _difference(nodeid: str, entries: list[Deviation]) -> Difference:
    verdicts = Counter(entry.verdict for entry in entries)
    usual = max(verdicts, key=lambda verdict: (verdicts[verdict], verdict == Verdict.PASSED))
    return Difference(nodeid, verdicts, tuple(entry for entry in entries if entry.verdict != usual))
