# SPDX-License-Identifier: AGPL-3.0-or-later
"""A cluster on paper for each test, and one with machines for all that want some."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.lab import Lab, Machine
from provisioning import drivers
from provisioning.namespaces import enter_namespace, own_network
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.machine import VmMachine
from tests.contract.peer import Peer
from tests.rehearsal.rehearsal import Rehearsal, on_paper, with_machines


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsal]:
    """A cluster whose VMs are entries in a list; labs are kept in the test's folder."""
    with on_paper(tmp_path) as rehearsal:
        monkeypatch.setenv("XDG_STATE_HOME", str(rehearsal.state))
        yield rehearsal


@pytest.fixture
def driver(paper: Rehearsal) -> Iterator[ProxmoxDriver]:
    """The driver for a small lab on it; nobody waits for machines that are not there."""
    made = drivers.proxmox(paper.lab_file("single", boot_minutes=0.01))
    yield made
    made.cluster.close()


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    """A cluster with machines."""
    with with_machines(f"pve-test-{os.getpid()}") as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(made.state))
        yield made


@pytest.fixture(scope="module")
def pve(rehearsal: Rehearsal) -> Iterator[ProxmoxDriver]:
    """The driver for a lab of five machines on it."""
    made = drivers.proxmox(rehearsal.lab_file("single"))
    yield made
    made.cluster.close()


@pytest.fixture(scope="module")
def lab(pve: ProxmoxDriver) -> Iterator[Lab]:
    """The lab; tests are on its network, as scenarios are."""
    home = own_network()
    made = pve.provision(pve.file.plan(), "contract")
    try:
        pve.enter(made)
        yield made
    finally:
        enter_namespace(home)
        os.close(home)
        pve.remove(made)


@pytest.fixture(scope="module")
def peer(lab: Lab, pve: ProxmoxDriver) -> Iterator[Peer]:
    """Somebody on the network of the machines."""
    there = Peer(lab, pve.enter_network)
    yield there
    there.close()


@pytest.fixture
def runner(lab: Lab, peer: Peer) -> Iterator[VmMachine]:
    """A runner that greets; whatever a test does to it is undone."""
    machine = lab.machines["runner01"]
    assert isinstance(machine, VmMachine)
    peer.await_answer(machine)
    yield machine
    if machine.vm.is_on():
        machine.resume()
        machine.reconnect()
    else:
        machine.power_on()


@pytest.fixture
def own_runner(runner: VmMachine) -> VmMachine:
    """The same: the limits of the machine behind a VM are those that the API was told."""
    return runner


@pytest.fixture
def other(lab: Lab) -> Machine:
    """A machine to which nothing is done."""
    return lab.machines["runner02"]
