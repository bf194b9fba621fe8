"""One lab for the driver's contract, a peer that looks at it from outside, and labs of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from model.lab import Lab, Machine
from model.topology import topology
from provisioning import drivers
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.embedded.machine import EmbeddedMachine
from provisioning.embedded.removal import sweep
from tests.contract.peer import Peer

PLAN = topology("single", runners=2)


@pytest.fixture(scope="package")
def driver() -> EmbeddedDriver:
    sweep()
    return drivers.embedded()


@pytest.fixture(scope="package")
def lab(driver: EmbeddedDriver) -> Iterator[Lab]:
    made = driver.provision(PLAN, f"contract-{os.getpid()}")
    try:
        yield made
    finally:
        driver.remove(made)


@pytest.fixture(scope="package")
def peer(lab: Lab) -> Iterator[Peer]:
    there = Peer(lab)
    yield there
    there.close()


@pytest.fixture
def runner(lab: Lab, peer: Peer) -> Iterator[EmbeddedMachine]:
    """A runner that greets; whatever a test does to it is undone."""
    machine = lab.machines["runner01"]
    assert isinstance(machine, EmbeddedMachine)
    peer.await_answer(machine)
    yield machine
    if machine.is_on():
        machine.resume()
    else:
        machine.power_on()


@pytest.fixture
def other(lab: Lab) -> Machine:
    """A machine to which nothing is done."""
    return lab.machines["runner02"]
