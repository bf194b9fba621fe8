"""How a lab comes and goes where not everything works: what came is kept, what did not is named. No VM is made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model.errors import LabUnavailable, MachineDidNotBoot
from model.lab import Ability
from model.topology import MachineSpec
from provisioning.proxmox import driver as module
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.first_contact import FirstContact
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.tofu import ApplyFailed
from provisioning.proxmox.workspace import Workspace, create, workspaces
from tests.unit.proxmox.pve import Pve
from tests.unit.proxmox.test_removal import TOOLS

Made = Callable[..., dict[str, int]]


@pytest.fixture
def driver(cluster: Cluster, file: ProxmoxLabFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> ProxmoxDriver:
    made = ProxmoxDriver(file, path, TOOLS)
    made._cluster = cluster
    monkeypatch.setattr(ProxmoxDriver, "_tofu", lambda _self, _workspace: None)
    return made


def making(pve: Pve, file: ProxmoxLabFile, *, fails: Exception | None = None, missing: str = "") -> Made:
    """In OpenTofu's place: the VMs are there."""

    def make(_tofu: object, workspace: Workspace, *_: object, **__: object) -> dict[str, int]:
        numbers = {}
        for number, spec in enumerate(file.plan().machines, 200):
            if spec.name != missing:
                pve.add(number, f"tofu-{spec.name}", "tofu-ha-acceptance", f"run-{workspace.name}")
            numbers[spec.name] = number
        if fails is not None:
            raise fails
        return numbers

    return make


def test_one_that_does_not_boot_is_named_and_the_others_are_kept(
    driver: ProxmoxDriver, pve: Pve, file: ProxmoxLabFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "make_vms", making(pve, file))
    monkeypatch.setattr(FirstContact, "await_boot", lambda _self, _specs: {"runner02": "runner02 (10.1.0.104) is silent"})
    with pytest.raises(MachineDidNotBoot) as caught:
        driver.provision(file.plan(), "run-1")
    text = str(caught.value)
    assert text.startswith(
        "runner02 (10.1.0.104) is silent. storage01, balancer01, runner01, runner03 did boot; what was made is kept until "
    )
    assert "python -m provisioning down run-1" in text
    assert len(pve.vms) == 6
    assert [(each.name, each.state()) for each in workspaces()] == [("run-1", "kept")]


def test_one_that_cannot_be_started_is_named_and_the_others_are_kept(
    driver: ProxmoxDriver, pve: Pve, file: ProxmoxLabFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = ApplyFailed("tofu apply failed: start failed: QEMU exited with code 1", transient=False)
    monkeypatch.setattr(module, "make_vms", making(pve, file, fails=fails, missing="runner03"))
    with pytest.raises(ApplyFailed, match=r"QEMU exited with code 1; what was made is kept until .*down run-1"):
        driver.provision(file.plan(), "run-1")
    assert [each.state() for each in workspaces()] == ["kept"]


def test_where_nothing_came_nothing_is_left(driver: ProxmoxDriver, pve: Pve, file: ProxmoxLabFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> dict[str, int]:
        raise ApplyFailed("tofu apply failed: no space left", transient=False)

    monkeypatch.setattr(module, "make_vms", fail)
    with pytest.raises(ApplyFailed, match=r"no space left$"):
        driver.provision(file.plan(), "run-1")
    assert list(workspaces()) == []
    assert set(pve.vms) == {9000}


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), LabUnavailable("the store refused")])
def test_whatever_else_happens_everything_is_removed(
    driver: ProxmoxDriver, pve: Pve, file: ProxmoxLabFile, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    def fail(_self: FirstContact, _specs: list[MachineSpec]) -> dict[str, str]:
        raise interruption

    monkeypatch.setattr(module, "make_vms", making(pve, file))
    monkeypatch.setattr(FirstContact, "await_boot", fail)
    with pytest.raises(type(interruption)):
        driver.provision(file.plan(), "run-1")
    assert set(pve.vms) == {9000}
    assert list(workspaces()) == []


def test_the_next_run_finds_what_a_killed_one_left(
    driver: ProxmoxDriver, pve: Pve, file: ProxmoxLabFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, owned = create(file, path, file.plan(), "killed")
    owned.release(keep=False)
    pve.add(150, "tofu-runner01", "tofu-ha-acceptance", "run-killed")
    monkeypatch.setattr(module, "make_vms", making(pve, file))
    monkeypatch.setattr(FirstContact, "await_boot", lambda _self, _specs: {"runner02": "silent"})
    with pytest.raises(MachineDidNotBoot):
        driver.provision(file.plan(), "run-2")
    assert 150 not in pve.vms
    assert not left.folder.exists()


def test_machines_have_the_abilities_of_vms(driver: ProxmoxDriver, pve: Pve, file: ProxmoxLabFile, path: Path) -> None:
    workspace, owned = create(file, path, file.plan(), "lab")
    numbers = making(pve, file)(None, workspace)
    lab = driver._lab(workspace, file.plan(), numbers)
    for machine in lab.machines.values():
        assert machine.abilities == frozenset(Ability) - {Ability.FILL_DRIVE}
    pve.vms[202]["config"] = {"cores": 2, "memory": "2048", "ipconfig0": "ip=10.1.0.103/24,gw=10.1.0.1"}
    seen = lab.machines["runner01"].inspect()
    assert (seen.name, seen.address, seen.cpu_cores, seen.memory_mb) == ("tofu-runner01", "10.1.0.103", 2, 2048)
    driver._close(lab.name, lab)
    owned.release(keep=False)


def test_another_subnet_keeps_the_last_numbers(file: ProxmoxLabFile) -> None:
    moved = file.model_copy(update={"subnet": "192.168.7.0/24", "topology": "production"}).plan()
    assert str(moved.runner_endpoint) == "192.168.7.102:9000"
    assert moved.virtual_addresses == ("192.168.7.101", "192.168.7.102")
    assert json.dumps([machine.address for machine in moved.machines]).count("192.168.7.") == 9
