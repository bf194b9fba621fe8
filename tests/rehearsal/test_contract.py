# SPDX-License-Identifier: AGPL-3.0-or-later
"""The real OpenTofu and the real provider agree with the stand-in: what was applied is what the next plan expects, and all of it goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioning import drivers
from provisioning.proxmox import removal
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.making import make_vms
from provisioning.proxmox.tofu import Tofu
from provisioning.proxmox.workspace import Workspace, create
from tests.rehearsal.cloud_init import hardware_of
from tests.rehearsal.rehearsal import Rehearsal


@pytest.fixture(params=["single", pytest.param("production", marks=pytest.mark.proof)])
def planned(request: pytest.FixtureRequest, paper: Rehearsal) -> Iterator[ProxmoxDriver]:
    made = drivers.proxmox(paper.lab_file(request.param))
    yield made
    made.cluster.close()


def applied(driver: ProxmoxDriver) -> tuple[Workspace, Tofu, dict[str, int]]:
    """Make the VMs of a lab, and nothing else."""
    workspace, owned = create(driver.file, driver.path, driver.file.plan(), "contract")
    owned.release(keep=True)
    tofu = driver.tools.tofu_for(workspace, driver.cluster)
    return workspace, tofu, make_vms(tofu, workspace, driver.file.plan(), driver.file.parallel, driver.tell)


def test_apply_then_an_empty_plan_then_nothing_is_left(planned: ProxmoxDriver, paper: Rehearsal) -> None:
    workspace, tofu, numbers = applied(planned)
    expected = sorted(f"tofu-{machine.name}" for machine in planned.file.plan().machines)
    assert paper.vms() == expected
    assert not tofu.plan()
    for spec in planned.file.plan().machines:
        vm = planned.cluster.vm(numbers[spec.name])
        config = planned.cluster.config(vm)
        assert {"tofu-ha-acceptance", "run-contract", spec.role.value} < vm.tags
        assert set(config["ipconfig0"].split(",")) == {f"ip={spec.address}/24", "gw=10.1.0.1"}
        assert (config["cores"], config["memory"]) == (spec.limits.cpu_cores, str(spec.limits.memory_mib))
        assert "may be removed from" in config["description"]
    removal.remove(workspace, planned.cluster, planned.tools, planned.tell)
    assert paper.vms() == []
    volumes = paper.serving.do(lambda cluster: set(cluster.storages["local-lvm"]["volumes"]))
    assert volumes == {"base-9000-disk-0"}


@pytest.mark.proof
def test_what_somebody_changed_is_seen_and_mended(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    _, tofu, numbers = applied(driver)
    number = numbers["runner02"]
    paper.serving.do(lambda cluster: cluster.vm(number).config.update(tags="somebody"))
    assert tofu.plan()
    tofu.apply(2)
    assert not tofu.plan()
    assert "tofu-ha-acceptance" in driver.cluster.vm(number).tags


def card_of(driver: ProxmoxDriver, number: int) -> str:
    """Hardware address of a VM's network card."""
    return hardware_of(driver.cluster.config(driver.cluster.vm(number)))


def test_one_machine_is_made_anew_with_its_hardware_address_and_no_other(driver: ProxmoxDriver) -> None:
    workspace, tofu, before = applied(driver)
    address = 'module.runner["runner02"].proxmox_virtual_environment_vm.this'
    card = card_of(driver, before["runner02"])
    after = make_vms(tofu, workspace, driver.file.plan(), 2, driver.tell, replace=address)
    assert {name for name in before if before[name] != after[name]} == {"runner02"}
    assert card_of(driver, after["runner02"]) == card != card_of(driver, after["runner01"])
    assert not tofu.plan()


@pytest.mark.proof
def test_a_bigger_disk_is_made(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    driver.file = driver.file.model_copy(update={"placement": driver.file.placement.model_copy(update={"disk_gb": 8})})
    _, tofu, numbers = applied(driver)
    assert not tofu.plan()
    config = driver.cluster.config(driver.cluster.vm(numbers["storage01"]))
    assert "size=8G" in config["scsi0"]
