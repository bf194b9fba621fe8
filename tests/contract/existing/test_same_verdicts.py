"""The whole gate on a lab that the suite did not make comes to the verdicts that it comes to on one that it made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.soak.differences import Deviation, Difference, differences, keep
from model.lab import Lab
from model.topology import topology
from model.verdicts import Verdict
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.existing.writing import write_lab_file
from tests.contract.temporary import temporary_lab
from tests.faulty_labs.acceptance_run import AcceptanceRun

ENDS_WITHIN = timedelta(hours=1)
CANNOT = "the lab's driver cannot do this to "
"""How a reason begins where an ability is missing: such a scenario is not run, and says why."""

ENDED_WITH_A_VERDICT = {0, 1, 10, 11}

pytestmark = pytest.mark.proof


@pytest.fixture
def owned(driver: EmbeddedDriver) -> Iterator[Lab]:
    """A lab of the topology `production`, brought up separately."""
    with temporary_lab(driver, topology("production"), "gate") as made:
        yield made


def whole_gate(place: Path, kept: Path, *arguments: str) -> str:
    """Run it, and keep its record.

    Returns:
        Its id.
    """
    place.mkdir()
    run = AcceptanceRun(place, arguments)
    try:
        code = run.process.wait(ENDS_WITHIN.total_seconds())
    finally:
        run.process.terminate()
        run.process.wait()
    assert code in ENDED_WITH_A_VERDICT, run.output
    keep(run.folder, kept)
    return run.folder.name


def scenarios_of(folder: Path) -> set[str]:
    """Which scenarios were meant to run."""
    return {entry["nodeid"] for entry in json.loads((folder / "run.json").read_text(encoding="utf-8"))["scenarios"]}


def explained(guest: str, difference: Difference) -> bool:
    """Whether all that differs is that the guest lacks an ability, and says so."""

    def lacks(each: Deviation) -> bool:
        return each.run == guest and each.verdict == Verdict.NOT_RUN and each.reason.startswith(CANNOT)

    return all(lacks(each) for each in difference.deviations)


def test_the_whole_gate_comes_to_the_same_verdicts(owned: Lab, tmp_path: Path) -> None:
    file, kept = tmp_path / "lab.toml", tmp_path / "kept"
    write_lab_file(owned, file)
    guest = whole_gate(tmp_path / "guest", kept, "--lab", str(file), "--allow-disruption")
    maker = whole_gate(tmp_path / "maker", kept)
    assert scenarios_of(kept / guest) == scenarios_of(kept / maker)
    found = [each for each in differences([guest, maker], kept) if not explained(guest, each)]
    assert found == [], "\n".join(line for each in found for line in each.sentences())
