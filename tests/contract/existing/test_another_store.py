"""A lab whose store is not MinIO: it is looked over and put to the test like any other, and what its store cannot do is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model.lab import Lab
from model.topology import topology
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.existing.writing import write_lab_file
from tests.contract.existing.looking import looked
from tests.contract.temporary import temporary_lab
from tests.faulty_labs.acceptance_run import run_features
from tests.faulty_labs.defects import BY_NAME
from tests.faulty_labs.plugin import FaultyDriver

GATEWAY = BY_NAME["a gateway takes the delete marker of a lock for a lock"]
"""versitygw; on a bucket that keeps versions it gives each lock once, and nobody another one after it was deleted."""

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def lab(driver: EmbeddedDriver) -> Iterator[Lab]:
    own = FaultyDriver.beside(driver, GATEWAY)
    with temporary_lab(own, topology("production"), "gateway") as made:
        yield made


@pytest.fixture(scope="module")
def file(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gateway") / "lab.toml"
    write_lab_file(lab, path)
    return path


def test_it_is_looked_over(file: Path) -> None:
    assert looked(file)[0] == {}


def test_what_it_does_passes_and_what_it_cannot_do_fails(file: Path, tmp_path: Path) -> None:
    run = run_features(tmp_path, "--lab", str(file), "--check", "V2,V4,S4,S5,H01,H32", "-m", "(short or smoke) and not disruptive")
    verdicts = {check: row["verdict"] for check, row in run.checks.items() if row["verdict"] != "not run"}
    assert verdicts == {"V2": "passed", "V4": "failed", "S4": "passed", "S5": "passed", "H01": "failed", "H32": "passed"}, run.output
    told = [entry["reason"] for entry in run.record["scenarios"] if "H01" in entry["checks"] and entry["verdict"] == "failed"]
    assert any("expected a conditional write after the delete" in reason for reason in told), told
