# SPDX-License-Identifier: AGPL-3.0-or-later
"""What goes wrong on a cluster, with the real OpenTofu and provider: it is named, what is not ours is not touched, and nothing is left."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from model.errors import ControlChannelLost, LabUnavailable, MachineDidNotBoot, ToolMissing, UnsafeLab
from model.lab import Lab
from provisioning import drivers, toolchain
from provisioning.proxmox import api, making, removal
from provisioning.proxmox.api import VmLocked
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.hands import VmHands
from provisioning.proxmox.mirror import make_mirror
from provisioning.proxmox.tofu import ApplyFailed
from provisioning.proxmox.workspace import workspaces
from tests.rehearsal.cluster import RehearsalCluster
from tests.rehearsal.guests import EmbeddedGuests, Guests, VmFacts
from tests.rehearsal.rehearsal import Rehearsal, on_paper, with_machines
from tests.rehearsal.serving import NODES, POOL, STORAGE, TEMPLATE, TOKEN_ID, USER

ROOT = Path(__file__).parents[2]
INCONCLUSIVE = 10
START = "/nodes/{node}/qemu/{vmid}/status/start"
NAMES = {f"tofu-{name}" for name in ("storage01", "balancer01", "runner01", "runner02", "runner03")}


def written(paper: Rehearsal) -> list[str]:
    """Everything that changed something on the cluster."""
    return paper.serving.do(lambda cluster: [f"{method} {path}" for method, path, _ in cluster.requests if method != "GET"])


def provision(driver: ProxmoxDriver) -> Lab:
    return driver.provision(driver.file.plan(), "run-1")


def refuses(driver: ProxmoxDriver, paper: Rehearsal, error: type[Exception], match: str) -> None:
    """It is told before anything is made."""
    with pytest.raises(error, match=match):
        provision(driver)
    assert written(paper) == []
    assert list(workspaces()) == []


@pytest.fixture
def hands(driver: ProxmoxDriver, paper: Rehearsal) -> VmHands:
    """Of one machine of a lab, as far as the cluster goes."""
    tags = "run-run-1;tofu-ha-acceptance"
    paper.serving.do(
        lambda cluster: cluster.add_vm(10_000, "tofu-runner02", node=NODES[1], status="running", pool=POOL, config={"tags": tags})
    )
    spec = next(spec for spec in driver.file.plan().machines if spec.name == "runner02")
    return VmHands(spec, driver.cluster, 10_000, "run-1")


def test_a_token_that_lacks_a_right_is_told_which_before_anything_is_made(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    def revoke(cluster: RehearsalCluster) -> None:
        cluster.acl[USER] = [(path, rights - {"VM.Config.Cloudinit"}) for path, rights in cluster.acl[USER]]

    paper.serving.do(revoke)
    refuses(driver, paper, UnsafeLab, rf"rights on /pool/{POOL}: {TOKEN_ID} lacks VM\.Config\.Cloudinit - give them")


def test_a_right_that_is_taken_away_meanwhile_is_named(hands: VmHands, paper: Rehearsal) -> None:
    def revoke(cluster: RehearsalCluster) -> None:
        cluster.acl[USER] = [(path, rights - {"VM.PowerMgmt"}) for path, rights in cluster.acl[USER]]

    paper.serving.do(revoke)
    with pytest.raises(UnsafeLab, match=rf"stop of runner02 .*: the token {TOKEN_ID} lacks a right: /vms/{hands.number}, VM\.PowerMgmt"):
        hands.do("off")


def test_a_token_with_another_secret_is_told_of(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.apitokens.update({TOKEN_ID: "another"}))
    refuses(driver, paper, LabUnavailable, "does not know the token acceptance@pve!suite, or its secret is another one")


def test_a_vm_that_is_locked_is_waited_for(hands: VmHands, paper: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    paper.serving.do(lambda cluster: cluster.snapshot_lock(hands.number, "backup"))
    monkeypatch.setattr(hands.cluster, "_pause", lambda _seconds: paper.serving.do(lambda cluster: cluster.unlock(hands.number)))
    hands.do("off")
    assert not hands.is_on()


def test_a_vm_that_stays_locked_is_never_forced(hands: VmHands, paper: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    paper.serving.do(lambda cluster: cluster.snapshot_lock(hands.number, "backup"))
    monkeypatch.setattr(api, "LOCKED_FOR", api.LOCKED_FOR * 0)
    with pytest.raises(VmLocked, match=r"the VM is locked \(backup\), somebody else works on it; this is never forced"):
        hands.cluster.call("stopping", lambda asked: asked.nodes(hands.cluster.vm(hands.number).node).qemu(hands.number).status.stop.post())
    with pytest.raises(ControlChannelLost, match=r"stop of runner02 .* locked \(backup\)"):
        hands.do("off")
    assert hands.is_on()


def test_a_template_that_is_locked_is_told_of(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.snapshot_lock(TEMPLATE, "backup"))
    refuses(driver, paper, LabUnavailable, rf"template {TEMPLATE}: it is locked \(backup\) - wait until that is done")


def test_a_node_that_is_offline_is_named(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.set_node_offline(NODES[2]))
    refuses(driver, paper, LabUnavailable, rf"node {NODES[2]}: offline - switch it on, or leave it out of placement\.nodes")


def test_a_node_that_is_lost_meanwhile_is_told_of(hands: VmHands, paper: Rehearsal) -> None:
    node = hands.cluster.vm(hands.number).node
    paper.serving.do(lambda cluster: cluster.set_node_offline(node))
    with pytest.raises(ControlChannelLost, match=r"stop of runner02 .*a node of the cluster does not answer \(595"):
        hands.do("off")


def test_a_template_that_is_missing_is_named(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.vms.clear())
    refuses(driver, paper, LabUnavailable, rf"template {TEMPLATE}: there is none - make one: docs/proxmox\.md")


def test_a_vm_in_the_templates_place_is_no_template(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: setattr(cluster.vm(TEMPLATE), "template", False))
    refuses(driver, paper, LabUnavailable, rf"VM {TEMPLATE} \(debian-12\) is no template")


def test_a_storage_that_is_full_is_told_of_before_anything_is_made(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.storages[STORAGE].update(avail=0))
    refuses(driver, paper, LabUnavailable, rf"storage {STORAGE} on {NODES[0]}: 0 GB free - make room")


def test_a_storage_that_fills_up_meanwhile_is_told_of_and_what_came_is_kept(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.storages[STORAGE].update(avail=9 << 30))
    with pytest.raises(ApplyFailed, match=r"No space left on device.*; what was made is kept until .*down run-1"):
        provision(driver)
    made = set(paper.vms())
    assert 0 < len(made) < len(NAMES)
    driver._discard(removal.workspace_of("run-1"))
    assert paper.vms() == []
    assert paper.serving.do(lambda cluster: int(cluster.storages[STORAGE]["avail"])) == 9 << 30


def test_an_address_in_use_is_named_with_who_has_it(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.add_vm(300, "theirs", node=NODES[1], pool=POOL, config={"ipconfig0": "ip=10.1.0.104/24"}))
    refuses(driver, paper, LabUnavailable, rf"address 10\.1\.0\.104 \(runner02\): in use: VM 300 \(theirs on {NODES[1]}\) has it")


def test_a_vm_without_our_tag_in_the_way_is_named_and_left_alone(driver: ProxmoxDriver, paper: Rehearsal) -> None:
    paper.serving.do(lambda cluster: cluster.add_vm(300, "tofu-runner02", node=NODES[1], pool=POOL, config={"tags": "theirs"}))
    refuses(driver, paper, UnsafeLab, rf"in the way: VM 300 \(tofu-runner02 on {NODES[1]}\): it has a name of the lab, but not our tag")
    assert removal.sweep(driver.cluster, driver.file, driver.tools, driver.tell) == []
    assert paper.vms() == ["tofu-runner02"]
    assert written(paper) == []


def test_a_provider_that_is_missing_is_told_with_what_makes_it(paper: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    tofu = toolchain.TOFU
    with pytest.raises(ToolMissing, match=r"make proxmox|setup --with proxmox"):
        toolchain.find(toolchain.PROVIDER)
    with pytest.raises(ToolMissing, match="OpenTofu"):
        toolchain.find(tofu)
    with pytest.raises(ToolMissing):
        drivers.proxmox(paper.lab_file())
    assert written(paper) == []


def test_a_provider_that_goes_meanwhile_fails_without_a_trace(
    driver: ProxmoxDriver, paper: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mirror_of_nothing(folder: Path, tofu: Path, provider: toolchain.Tool) -> Path:
        configuration = make_mirror(folder, tofu, provider)
        shutil.rmtree(next(folder.rglob("registry.opentofu.org")))
        return configuration

    monkeypatch.setattr("provisioning.proxmox.tools.make_mirror", mirror_of_nothing)
    with pytest.raises(ApplyFailed, match=r"tofu init failed: .*provider"):
        provision(driver)
    assert paper.vms() == []
    assert list(workspaces()) == []


class NodeGoes(Guests):
    """The node of one of three runners is lost when the runner has just been started."""

    def __init__(self) -> None:
        """Nobody is told yet."""
        self.go: Callable[[], object] = lambda: None

    def start(self, vm: VmFacts) -> None:
        if vm.name == "tofu-runner02":
            self.go()


@pytest.mark.proof
def test_a_node_that_is_lost_while_vms_are_made_is_told_of_and_what_is_on_it_goes_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests, node = NodeGoes(), NODES[1]
    with on_paper(tmp_path, guests) as paper:
        monkeypatch.setenv("XDG_STATE_HOME", str(paper.state))
        guests.go = lambda: paper.serving.do(lambda cluster: cluster.set_node_offline(node))
        driver = drivers.proxmox(paper.lab_file("single", boot_minutes=0.01))
        with pytest.raises(ApplyFailed, match=r"\(runner02\): .*595.*; what was made is kept until .*down run-1"):
            provision(driver)
        workspace = removal.workspace_of("run-1")
        with pytest.raises(LabUnavailable, match=rf"of lab run-1 is left: VM \d+ \(tofu-runner02 on {node}\)"):
            driver._discard(workspace)
        assert paper.vms() == ["tofu-runner02"]
        paper.serving.do(lambda cluster: cluster.set_node_offline(node, offline=False))
        driver._discard(workspace)
        assert paper.vms() == []
        driver.cluster.close()


class OneFails(Guests):
    """One of three runners does not start."""

    def start(self, vm: VmFacts) -> None:
        if vm.name == "tofu-runner02":
            raise LabUnavailable("QEMU exited with code 1")


def test_one_of_three_that_does_not_start_is_named_and_the_others_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_paper(tmp_path, OneFails()) as paper:
        monkeypatch.setenv("XDG_STATE_HOME", str(paper.state))
        driver = drivers.proxmox(paper.lab_file("single", boot_minutes=0.01))
        with pytest.raises(ApplyFailed, match=r"QEMU exited with code 1.*; what was made is kept until .*down run-1"):
            provision(driver)
        running = paper.serving.do(lambda cluster: {vm.name for vm in cluster.vms if vm.status == "running"})
        assert running == NAMES - {"tofu-runner02"}
        assert [each.state() for each in workspaces()] == ["kept"]
        driver._discard(removal.workspace_of("run-1"))
        assert paper.vms() == []
        driver.cluster.close()


@pytest.mark.proof
def test_a_run_whose_machine_does_not_start_is_inconclusive_and_says_what_is_kept(tmp_path: Path) -> None:
    with on_paper(tmp_path, OneFails()) as paper:
        command = [sys.executable, "-m", "pytest", "features/", "--lab", str(paper.lab_file("single")), "--check", "S4"]
        done = subprocess.run(command, cwd=ROOT, env=paper.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == INCONCLUSIVE, done.stdout
        said = " ".join(done.stdout.split())
        assert "QEMU exited with code 1" in said
        assert re.search(r"what was made is kept until .* then remove it: python -m provisioning down run-", said)
        assert "inconclusive: S4" in said
        assert set(paper.vms()) == NAMES


class OneHangs(EmbeddedGuests):
    """One of three runners has power, and does not boot."""

    def start(self, vm: VmFacts) -> None:
        if vm.name != "tofu-runner02":
            super().start(vm)

    def is_on(self, vm: VmFacts) -> bool:
        return vm.name == "tofu-runner02" or super().is_on(vm)


@pytest.mark.proof
def test_a_run_with_one_of_three_that_does_not_boot_is_inconclusive_and_the_others_can_be_looked_at() -> None:
    with with_machines(f"pve-hangs-{os.getpid()}", OneHangs) as rehearsal:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "features/",
            "--check",
            "S4",
            "--lab",
            str(rehearsal.lab_file("single", boot_minutes=0.5)),
        ]
        done = subprocess.run(command, cwd=ROOT, env=rehearsal.environment, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == INCONCLUSIVE, done.stdout
        said = " ".join(done.stdout.split())
        assert "inconclusive: S4" in said
        assert "the sshd of runner02 (10.1.0.104) greets" in said
        assert "storage01, balancer01, runner01, runner03 did boot; what was made is kept until" in said
        assert set(rehearsal.vms()) == NAMES
        key = next(rehearsal.state.rglob("login"))
        options = ("-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
        log_in = ["ip", "netns", "exec", rehearsal.network, "ssh", *options, "debian@10.1.0.103", "hostname"]
        assert subprocess.run(log_in, capture_output=True, text=True, check=False, timeout=20).stdout == "tofu-runner01\n"


def test_a_cluster_that_is_busy_is_asked_again(
    driver: ProxmoxDriver, paper: Rehearsal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    busy = "can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout"
    paper.serving.do(lambda cluster: cluster.fail("POST", START, 500, busy, times=1))
    monkeypatch.setattr(making, "PAUSE_SECONDS", 0.0)
    with pytest.raises(MachineDidNotBoot):
        provision(driver)
    assert "the cluster was busy, the VMs of run-1 are tried again" in caplog.text
    assert set(paper.vms()) == NAMES
