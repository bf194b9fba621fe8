"""pytest plugin that gives a real run a defective lab, another place for its record, and a file in which it says where it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytest_bdd.parser import Step

from model.lab import Lab, LabDriver
from model.run import RUN
from model.topology import Topology
from provisioning import images, toolchain
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.embedded.removal import leftovers
from tests.faulty_labs.defects import BY_NAME
from tests.faulty_labs.defects.defect import Defect


@dataclass
class FaultyDriver(EmbeddedDriver):
    """Builds labs with a defect that is there before anybody looks."""

    defect: Defect = field(kw_only=True)

    @classmethod
    def beside(cls, driver: EmbeddedDriver, defect: Defect) -> FaultyDriver:
        """One that builds what another driver builds, with the image and the programs that a defect needs."""
        programs = driver.programs | {program.name: toolchain.find(program).path for program in defect.programs}
        return cls(images.find(defect.image), programs, defect.alter, defect=defect)

    def provision(self, topology: Topology, name: str) -> Lab:
        """Build a lab, then spoil it; nothing is left behind when that fails."""
        lab = super().provision(topology, name)
        try:
            self.enter(lab)
            self.defect.after_boot(lab)
        except BaseException:
            self.remove(lab)
            raise
        return lab


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options."""
    group = parser.getgroup("faulty labs")
    group.addoption("--defect", choices=tuple(BY_NAME), help="what is wrong with the lab")
    group.addoption("--runs", type=Path, help="folder for the run's record")
    group.addoption("--progress", type=Path, help="file for the sentences that are reached")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Move the record; comes after the plugin that says where it is, and before those that use it."""
    runs = config.getoption("runs")
    if runs is not None:
        run = config.stash[RUN]
        run.folder = runs / "runs" / run.id


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Say which labs of dead runs are there before the run sweeps them."""
    for left in leftovers():
        _tell(session.config, f"left: {left.lab}")


def pytest_acceptance_driver(config: pytest.Config, driver: LabDriver) -> LabDriver | None:
    """Put the defect in."""
    name = config.getoption("defect")
    if name is None or not isinstance(driver, EmbeddedDriver):
        return None
    return FaultyDriver.beside(driver, BY_NAME[name])


def pytest_bdd_before_step_call(request: pytest.FixtureRequest, step: Step) -> None:
    """Say which sentence begins."""
    _tell(request.config, f"begins: {step.name}")


def pytest_bdd_after_step(request: pytest.FixtureRequest, step: Step) -> None:
    """Say which sentence has ended."""
    _tell(request.config, f"ended: {step.name}")


def _tell(config: pytest.Config, line: str) -> None:
    path = config.getoption("progress")
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
