"""What was left is found and removed, by whoever comes next; what is not ours, or not over, stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from model.errors import BadInput, LabUnavailable, UnsafeLab
from provisioning import toolchain
from provisioning.embedded.ownership import Ownership
from provisioning.proxmox import removal
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.marks import expiry_of, is_expired
from provisioning.proxmox.tools import Tools
from provisioning.proxmox.workspace import Workspace, create, workspaces
from tests.unit.proxmox.pve import Answer, Pve

OURS = "tofu-ha-acceptance"
NOWHERE = Path("/nowhere")
TOOLS = Tools(NOWHERE, toolchain.Tool(toolchain.PROVIDER, NOWHERE, "v0", "given"), NOWHERE, NOWHERE)


def silent(_what: str) -> None:
    """Tell nobody."""


def stamp(hours: float) -> str:
    return f"expires-{datetime.now(UTC) + timedelta(hours=hours):%Y%m%dt%H%M%Sz}"


def made(file: ProxmoxLabFile, path: Path, name: str) -> tuple[Workspace, Ownership]:
    return create(file, path, file.plan(), name)


def test_a_run_that_was_killed_in_the_middle_of_an_apply_is_removed_by_the_next_one(
    cluster: Cluster, file: ProxmoxLabFile, path: Path, pve: Pve
) -> None:
    workspace, owned = made(file, path, "run-1")
    owned.release(keep=False)  # as the end of the process does it
    pve.add(101, "tofu-runner01", OURS, "run-run-1", stamp(4))
    pve.add(102, "tofu-runner02", OURS, "run-run-1", stamp(4), status="stopped")
    pve.add(103, "tofu-runner01", OURS, "run-other", stamp(4))
    found = removal.sweep_own(cluster, file, TOOLS, silent)
    assert [(each.run, each.vms) for each in found] == [("run-1", ("tofu-runner01", "tofu-runner02"))]
    assert set(pve.vms) == {103, 9000}
    assert not workspace.folder.exists()


def test_a_lab_of_a_run_that_lives_stays(cluster: Cluster, file: ProxmoxLabFile, path: Path, pve: Pve) -> None:
    _, owned = made(file, path, "run-1")
    pve.add(101, "tofu-runner01", OURS, "run-run-1", stamp(-1))
    assert removal.sweep(cluster, file, TOOLS, silent) == []
    assert 101 in pve.vms
    owned.release(keep=False)


def test_a_lab_that_is_kept_stays_until_its_time_is_over(cluster: Cluster, file: ProxmoxLabFile, path: Path, pve: Pve) -> None:
    workspace, owned = made(file, path, "kept")
    owned.release(keep=True)
    pve.add(101, "tofu-runner01", OURS, "run-kept", stamp(4))
    assert removal.sweep(cluster, file, TOOLS, silent) == []
    described = json.loads((workspace.folder / "lab.json").read_text())
    (workspace.folder / "lab.json").write_text(json.dumps({**described, "expires": "2020-01-01T00:00:00Z"}))
    assert [each.run for each in removal.sweep(cluster, file, TOOLS, silent)] == ["kept"]
    assert 101 not in pve.vms


def test_what_expired_goes_whoever_made_it_and_nothing_else(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", OURS, "run-elsewhere", stamp(-1))
    pve.add(102, "tofu-runner02", OURS, "run-elsewhere", stamp(1))
    pve.add(103, "theirs", stamp(-1))
    pve.add(104, "by-hand", OURS, "run-by-hand")
    found = removal.sweep(cluster, file, TOOLS, silent)
    assert [each.vms for each in found] == [("tofu-runner01",)]
    assert set(pve.vms) == {102, 103, 104, 9000}


def test_a_vm_without_our_tag_is_never_removed(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", OURS, "run-1")
    listed = cluster.vm(101)
    pve.vms[101]["tags"] = "somebody-took-it-over"
    with pytest.raises(UnsafeLab, match=r"VM 101 \(tofu-runner01 on pve1\) does not carry the tag tofu-ha-acceptance"):
        removal.remove_vm(cluster, listed)
    assert pve.asked("DELETE") == pve.asked("POST") == []


NOTE = "Made by tofu-ha-acceptance for {}; may be removed from {} on.\n"


def test_a_clone_that_was_being_made_is_known_by_its_description(cluster: Cluster, file: ProxmoxLabFile, path: Path, pve: Pve) -> None:
    """A clone has a description from its first moment, and tags only when the provider has set it up."""
    workspace, owned = made(file, path, "run-1")
    owned.release(keep=False)
    pve.add(101, "tofu-runner01", config={"description": NOTE.format("run-1", "2099-01-01T00:00:00Z")})
    pve.add(102, "tofu-runner02", config={"description": NOTE.format("run-2", "2099-01-01T00:00:00Z")})
    pve.add(103, "tofu-runner03", config={"description": f"{NOTE.format('run-1', '2099-01-01T00:00:00Z')} Not any more: it is Ada's."})
    pve.add(104, "theirs", config={"description": NOTE.format("run-1", "2099-01-01T00:00:00Z")})
    assert [each.vms for each in removal.sweep_own(cluster, file, TOOLS, silent)] == [("tofu-runner01",)]
    assert set(pve.vms) == {102, 103, 104, 9000}
    assert not workspace.folder.exists()


def test_a_half_made_clone_of_another_host_goes_when_its_time_is_over(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", config={"description": NOTE.format("elsewhere", "2020-01-01T00:00:00Z")})
    pve.add(102, "tofu-runner02", config={"description": NOTE.format("elsewhere", "2099-01-01T00:00:00Z")})
    assert [each.vms for each in removal.sweep(cluster, file, TOOLS, silent)] == [("tofu-runner01",)]
    assert set(pve.vms) == {102, 9000}


def test_a_task_that_meets_a_lock_is_tried_again(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", OURS, "run-1", status="stopped")
    pve.tasks += ["VM is locked (clone)", "VM is locked (clone)"]
    cluster.task("starting", lambda api: str(api.nodes("pve1").qemu(101).status.start.post()))
    assert len(pve.asked("POST")) == 3
    assert len(pve.pauses) == 2


def test_a_template_is_never_ours(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.vms[9000]["tags"] = f"{OURS};{stamp(-1)}"
    assert removal.sweep(cluster, file, TOOLS, silent) == []
    assert 9000 in pve.vms


def test_what_cannot_be_removed_is_named_and_remembered(cluster: Cluster, file: ProxmoxLabFile, path: Path, pve: Pve) -> None:
    workspace, owned = made(file, path, "run-1")
    owned.release(keep=False)
    pve.add(101, "tofu-runner01", OURS, "run-run-1")
    pve.refuses = lambda method, _path: Answer(500, "storage 'local-lvm' is not online") if method == "DELETE" else None
    with pytest.raises(LabUnavailable, match=r"of lab run-1 is left: VM 101 \(tofu-runner01 on pve1\)"):
        removal.sweep_own(cluster, file, TOOLS, silent)
    assert workspace.folder.exists()
    assert workspace.state() == "nobody"


def test_two_labs_of_one_name_are_refused(file: ProxmoxLabFile, path: Path) -> None:
    _, owned = made(file, path, "mine")
    with pytest.raises(BadInput, match=r"'mine' was made from here already \(run\)"):
        made(file, path, "mine")
    owned.release(keep=False)
    assert [each.name for each in workspaces()] == ["mine"]


def test_what_is_written_down_holds_no_token(file: ProxmoxLabFile, path: Path) -> None:
    workspace, owned = made(file, path, "mine")
    variables = json.loads((workspace.environment / "terraform.tfvars.json").read_text())
    assert "api_token" not in variables
    assert variables["platform"]["ssh_keys"] == [workspace.public_key]
    assert (variables["run"], variables["expires"]) == ("mine", f"{workspace.expires:%Y-%m-%dT%H:%M:%SZ}")
    assert workspace.folder.stat().st_mode & 0o077 == 0
    owned.release(keep=False)


def test_a_mark_that_is_garbled_is_no_expiry(pve: Pve, cluster: Cluster) -> None:
    pve.add(101, "x", OURS, "expires-tomorrow")
    assert expiry_of(cluster.vm(101)) is None
    assert not is_expired(cluster.vm(101))
