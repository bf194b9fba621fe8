"""A lab that the suite did not make: an embedded one, seen through a lab file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.visit import Visit
from model.lab import Lab
from model.run import new_run_id
from provisioning import drivers
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.existing.writing import write_lab_file
from tests.contract.conftest import PLAN
from tests.contract.temporary import temporary_lab


@pytest.fixture(scope="package")
def owned(driver: EmbeddedDriver) -> Iterator[Lab]:
    """The lab, as its owner has it."""
    with temporary_lab(driver, PLAN, "visit") as made:
        yield made


@pytest.fixture(scope="package")
def file(owned: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its lab file."""
    path = tmp_path_factory.mktemp("visit") / "lab.toml"
    write_lab_file(owned, path)
    return path


@pytest.fixture
def visit(file: Path) -> Iterator[Visit]:
    """A run that may come."""
    made = Visit(drivers.existing(file), new_run_id())
    yield made
    made.depart(lambda _line: None)
