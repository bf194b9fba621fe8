"""A front that drops `If-None-Match` makes a store that cannot lock: that is a finding of H01, and no lab in use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.lease import CANNOT_LOCK
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.existing.writing import write_lab_file
from tests.contract.conftest import PLAN
from tests.contract.network import in_own_network
from tests.faulty_labs.acceptance_run import run_features
from tests.faulty_labs.defects import BY_NAME
from tests.faulty_labs.plugin import FaultyDriver

FAILED = 1
SECOND_WRITE = "The second write is refused, also after the first was deleted"
LEASE = "acceptance/lease.json"

pytestmark = pytest.mark.proof


@pytest.fixture
def fronted(driver: EmbeddedDriver, tmp_path: Path) -> Iterator[Path]:
    """The file of a lab with such a front; its owner thinks that nothing fails alone."""
    defect = BY_NAME["a front drops the condition of a lock request"]
    own = FaultyDriver(driver.image, driver.programs, defect.alter, defect=defect)
    with in_own_network():
        lab = own.provision(PLAN, f"front-{os.getpid()}")
    try:
        path = tmp_path / "lab.toml"
        write_lab_file(lab, path)
        path.write_text(path.read_text(encoding="utf-8").replace('topology = "single"', 'topology = "production"'), encoding="utf-8")
        yield path
    finally:
        own.remove(lab)


def test_a_front_that_drops_the_condition_is_a_finding(fronted: Path, tmp_path: Path) -> None:
    runs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        runs.append(
            run_features(tmp_path / name, "--lab", str(fronted), "--check", "H01,V2", "-k", "the_second_write or set_up_to_keep_versions")
        )
    for run in runs:
        assert run.process.returncode == FAILED, run.output
        assert "the lab is in use" not in run.output
        assert " ".join(CANNOT_LOCK.split()) in " ".join(run.output.split())
        assert run.scenarios[SECOND_WRITE]["verdict"] == "failed"
        assert "to be refused; observed that it passed" in run.scenarios[SECOND_WRITE]["reason"]
        assert run.checks["H01"]["verdict"] == "failed"
        assert run.scenarios["The bucket is set up to keep versions"]["verdict"] == "passed"
        assert not run.record["stopped"]
        assert run.record["comparison"]["left"] == [], "its lease is removed although it was weak"
