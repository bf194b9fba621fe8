"""Labs beside one another: the same addresses, nothing in common, and nothing left."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace

import pytest

from model.errors import BadInput, MachineDidNotBoot
from model.lab import Lab
from model.topology import MachineSpec, Role
from probes.outcomes import Reached
from provisioning.embedded.driver import EmbeddedDriver, attach
from provisioning.roles import Applied, File
from tests.contract.conftest import PLAN
from tests.contract.peer import Peer
from tests.contract.traces import traces_of


def test_two_labs_have_the_same_addresses_and_do_not_see_one_another(driver: EmbeddedDriver, owned: Lab, peer: Peer) -> None:
    twin = driver.provision(PLAN, f"{owned.name}-twin")
    try:
        with closing(Peer(twin)) as there:
            here, elsewhere = owned.machines["runner02"], twin.machines["runner02"]
            there.await_answer(elsewhere)
            assert here.address == elsewhere.address
            assert peer.host_key(here) == owned.fleet.published.plain_keys["runner02"]
            assert there.host_key(elsewhere) == twin.fleet.published.plain_keys["runner02"] != peer.host_key(here)
            assert there.ssh(elsewhere).ok
            assert there.call(peer.client(elsewhere).run, "true").reached is Reached.STRANGER
            elsewhere.cut_power()
            assert peer.answers(here)
            assert there.attempt(elsewhere) == "silent"
    finally:
        driver.remove(twin)
    assert traces_of(twin.name) == []
    assert peer.answers(here)


def test_a_lab_stays_when_one_goes_with_whose_name_its_own_begins(driver: EmbeddedDriver, owned: Lab) -> None:
    shorter = driver.provision(PLAN, f"{owned.name}-a")
    longer = driver.provision(PLAN, f"{shorter.name}-b")
    try:
        driver.remove(shorter)
        assert traces_of(shorter.name) == []
        with closing(Peer(longer)) as there:
            there.await_answer(longer.machines["runner01"])
    finally:
        driver.remove(longer)
    assert traces_of(longer.name) == []


def test_a_name_that_is_taken_is_refused_and_the_lab_of_that_name_unharmed(driver: EmbeddedDriver, owned: Lab, peer: Peer) -> None:
    with pytest.raises(BadInput, match=rf"a lab of the name '{owned.name}' is up; take another name, or .* down {owned.name}"):
        driver.provision(PLAN, owned.name)
    assert peer.answers(owned.machines["runner02"])


@pytest.mark.parametrize("name", ["", "Big", "a_b", "-a", "a-", "x" * 41, "mine-runner01", "../up"])
def test_a_name_that_cannot_be_one_is_refused(driver: EmbeddedDriver, name: str) -> None:
    with pytest.raises(BadInput, match="cannot be a lab's name"):
        driver.provision(PLAN, name)


def test_another_process_finds_its_way_in_by_the_name(owned: Lab) -> None:
    found = attach(owned.name)
    assert found.machines["runner02"].run("hostname").stdout == "runner02\n"
    assert found.store == owned.store
    with pytest.raises(BadInput, match="no embedded lab of the name 'contract-nowhere'"):
        attach("contract-nowhere")


def test_a_machine_that_does_not_boot_is_named_with_its_console_and_nothing_stays(driver: EmbeddedDriver) -> None:
    def alter(machine: MachineSpec, applied: Applied) -> Applied:
        if machine.role is not Role.RUNNER:
            return applied
        return applied.with_files(File("/usr/lib/systemd/systemd", "#!/bin/sh\necho no operating system here\nexit 1\n", 0o755))

    name = f"contract-{os.getpid()}-dud"
    with pytest.raises(MachineDidNotBoot, match=r"(?s)runner0\d ended while it booted.*no operating system here"):
        replace(driver, alter=alter, _owned={}).provision(PLAN, name)
    assert traces_of(name) == []


def test_a_file_of_a_role_never_leaves_the_machines_disk(driver: EmbeddedDriver) -> None:
    """`/sbin/init` is an absolute link in the image; followed on the host, it would lead to the host's own systemd."""
    name = f"contract-{os.getpid()}-link"

    def alter(_machine: MachineSpec, applied: Applied) -> Applied:
        return applied.with_files(File("/sbin/init", "#!/bin/sh\nexit 1\n", 0o755))

    lab = replace(driver, alter=alter, _owned={}).provision(PLAN, name)
    try:
        assert lab.machines["runner01"].run("head -c 2 /sbin/init; head -c 4 /lib/systemd/systemd").stdout == "#!\x7fELF"
    finally:
        driver.remove(lab)
