"""The table of planted defects: what should find each, what did, how long it took; as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.host import this_host
from reports.pages.rendering import render
from tests.faulty_labs.proof import Proof

JSON_FILE, PAGE = "proof.json", "index.html"


@dataclass(frozen=True)
class Table:
    """All proofs of one sitting.

    Attributes:
        proofs: In the order of the defects.
        seconds: From the first lab to the last.
        planted: How many there are to plant, more than proofs when some were chosen or the sitting was cut short.
    """

    proofs: Sequence[Proof]
    seconds: float
    planted: int

    @property
    def found(self) -> int:
        """Defects that were found."""
        return sum(bool(proof.found) for proof in self.proofs)

    @property
    def explained(self) -> int:
        """Defects all of whose symptoms were found and explained."""
        return sum(proof.explained and bool(proof.found) for proof in self.proofs)

    @property
    def false_alarms(self) -> int:
        """Healthy neighbours that were not green."""
        return sum(len(proof.false_alarms) for proof in self.proofs)

    @property
    def bad(self) -> list[Proof]:
        """Proofs that speak against the suite."""
        return [proof for proof in self.proofs if proof.problems]

    def __str__(self) -> str:
        """In one sentence."""
        return (
            f"{len(self.proofs)} of {self.planted} defects planted, {self.found} found, {self.explained} explained, "
            f"{self.false_alarms} false alarms"
        )

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "revision": this_host().revision,
            "seconds": round(self.seconds, 1),
            "planted": len(self.proofs),
            "known": self.planted,
            "found": self.found,
            "explained": self.explained,
            "false_alarms": self.false_alarms,
            "defects": [_row(proof) for proof in self.proofs],
        }


def _row(proof: Proof) -> dict[str, Any]:
    return {
        "name": proof.defect.name,
        "topology": proof.defect.topology,
        "expected": list(proof.defect.expected),
        "found": list(proof.found),
        "explained": proof.explained,
        "seconds": round(proof.seconds, 1),
        "explanations": [
            {"check": each.symptom.check, "scenario": each.symptom.scenario, "verdict": each.verdict, "said": each.explanation}
            for each in proof.findings
        ],
        "neighbours": list(proof.defect.healthy),
        "false_alarms": proof.false_alarms,
        "problems": list(proof.problems),
    }


def write(table: Table, folder: Path) -> Path:
    """Write both files.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = table.as_data()
    (folder / JSON_FILE).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    page = folder / PAGE
    page.write_text(render("proof.html.j2", {"table": data, "sentence": str(table)}), encoding="utf-8")
    return page
