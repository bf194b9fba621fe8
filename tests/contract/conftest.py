"""One lab for the contract of drivers, seen by each of them; a peer that looks at it from outside; labs of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from model.lab import Lab, Machine
from model.topology import topology
from provisioning import drivers
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.embedded.machine import EmbeddedMachine
from provisioning.embedded.removal import sweep
from tests.contract.peer import Peer
from tests.contract.temporary import temporary_lab
from tests.contract.views import GUEST, MAKER, View, seen_by

PLAN = topology("single", runners=2)


@pytest.fixture(scope="package")
def driver() -> EmbeddedDriver:
    sweep()
    return drivers.embedded()


@pytest.fixture(scope="package")
def owned(driver: EmbeddedDriver) -> Iterator[Lab]:
    """The lab, as the driver has it that made it."""
    with temporary_lab(driver, PLAN, "contract") as made:
        yield made


@pytest.fixture(scope="package", params=[MAKER, pytest.param(GUEST, marks=pytest.mark.proof)])
def view(request: pytest.FixtureRequest, driver: EmbeddedDriver, owned: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """The same lab by each driver: what is asked of it is the contract."""
    with seen_by(request.param, driver, owned, tmp_path_factory.mktemp("lab")) as seen:
        yield seen


@pytest.fixture
def lab(view: View) -> Iterator[Lab]:
    """The lab by each driver, the test being where a scenario would be."""
    with view.inside() as lab:
        yield lab


@pytest.fixture(scope="package")
def peer(owned: Lab) -> Iterator[Peer]:
    there = Peer(owned)
    yield there
    there.close()


def greeting(lab: Lab, peer: Peer) -> Iterator[Machine]:
    """A runner that greets; whatever a test does to it is undone."""
    machine = lab.machines["runner01"]
    peer.await_answer(machine)
    yield machine
    if not machine.is_on():
        machine.power_on()
    elif not peer.answers(machine):
        machine.resume()
        machine.reconnect()


@pytest.fixture
def runner(lab: Lab, peer: Peer) -> Iterator[Machine]:
    """A runner by each driver."""
    yield from greeting(lab, peer)


@pytest.fixture
def own_runner(owned: Lab, peer: Peer) -> Iterator[EmbeddedMachine]:
    """A runner, as the driver has it that made it: for what no other driver could do."""
    for machine in greeting(owned, peer):
        assert isinstance(machine, EmbeddedMachine)
        yield machine


@pytest.fixture
def other(lab: Lab) -> Machine:
    """A machine to which nothing is done."""
    return lab.machines["runner02"]
