"""What would keep a lab from being made is found before anything is made, and told with the remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.errors import LabUnavailable, UnsafeLab
from provisioning.proxmox import preflight
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.preflight import ON_VMS, look_over, require, warnings
from tests.unit.proxmox.pve import Answer, Pve

BRIDGE = "/sdn/zones/localnetwork/vmbr0"


def bad(cluster: Cluster, file: ProxmoxLabFile) -> dict[str, str]:
    return {each.name: f"{each.found} - {each.remedy}" for each in look_over(cluster, file, file.plan()) if not each.ok}


def test_a_cluster_that_will_do_is_not_changed(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    assert bad(cluster, file) == {}
    require(cluster, file, file.plan())
    assert {call.partition(" ")[0] for call, _ in pve.calls} == {"GET"}


def test_a_token_without_rights_is_told_which_are_missing(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.rights = {
        "/vms": [name for name in ON_VMS if name not in {"VM.PowerMgmt", "VM.Snapshot"}],
        "/storage/local-lvm": ["Datastore.Audit"],
    }
    found = bad(cluster, file)
    assert found["rights on /vms"].startswith("suite@pve!lab lacks VM.PowerMgmt, VM.Snapshot - ")
    assert "pveum acl modify /vms --tokens 'suite@pve!lab'" in found["rights on /vms"]
    assert found["rights on /storage/local-lvm"].startswith("suite@pve!lab lacks Datastore.AllocateSpace")
    with pytest.raises(UnsafeLab, match=r"VM\.PowerMgmt"):
        require(cluster, file, file.plan())


def test_a_fresh_token_sees_nothing_and_is_not_told_that_there_is_no_template(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.rights = {path: [] for path in ("/vms", "/vms/9000", "/storage/local-lvm", BRIDGE, "/nodes/pve1", "/nodes/pve2")}
    pve.vms.clear()
    assert set(bad(cluster, file)) == {f"rights on {path}" for path in pve.rights}


def test_with_a_pool_rights_are_wanted_on_it(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.rights = {"/pool/acceptance": ["Pool.Audit"]}
    place = file.placement.model_copy(update={"pool": "acceptance"})
    assert "VM.Allocate" in bad(cluster, file.model_copy(update={"placement": place}))["rights on /pool/acceptance"]


def test_a_token_that_is_not_known(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.refuses = lambda _method, _path: Answer(401, "permission denied - invalid PVE ticket")
    found = bad(cluster, file)
    assert list(found) == ["cluster https://pve.example.org:8006"]
    assert "does not know the token suite@pve!lab" in found["cluster https://pve.example.org:8006"]


def test_a_node_that_is_offline_and_one_that_is_not_there(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.nodes["pve2"] = "offline"
    assert bad(cluster, file)["node pve2"] == "offline - switch it on, or leave it out of placement.nodes"
    del pve.nodes["pve2"]
    assert bad(cluster, file)["node pve2"] == "there is none of that name - the cluster has pve1"
    with pytest.raises(LabUnavailable, match="node pve2"):
        require(cluster, file, file.plan())


def test_the_template_is_missing_or_is_none(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.vms[9000]["template"] = 0
    assert bad(cluster, file)["template 9000"].startswith("VM 9000 (debian-12) is no template")
    del pve.vms[9000]
    assert "docs/proxmox.md" in bad(cluster, file)["template 9000"]


def test_the_template_is_elsewhere(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.vms[9000]["node"] = "pve2"
    assert bad(cluster, file)["template 9000"].startswith("it is on pve2, not on pve1")


def test_the_storage_is_full(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.free_gb = 10
    roomy = file.model_copy(update={"placement": file.placement.model_copy(update={"disk_gb": 16})})
    found = bad(cluster, roomy)
    assert found["storage local-lvm on pve1"] == "10 GB free, 48 GB needed for 3 disks - make room, or take another datastore"


def test_the_bridge_is_missing(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.bridges = ("vmbr1",)
    assert bad(cluster, file)["bridge vmbr0 on pve1"] == "there is vmbr1 - put placement.bridge right"


def test_an_address_that_a_vm_has_already(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.add(120, "somebody")["config"]["ipconfig0"] = "ip=10.1.0.104/24,gw=10.1.0.1"
    found = bad(cluster, file)
    assert found["address 10.1.0.104 (runner02)"].startswith("in use: VM 120 (somebody on pve1) has it")


def test_an_address_at_which_somebody_answers(cluster: Cluster, file: ProxmoxLabFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_answers", lambda address: "port 22 is refused" if address == "10.1.0.101" else "")
    assert bad(cluster, file)["address 10.1.0.101 (storage01)"].startswith("in use: port 22 is refused")


def test_a_vm_without_our_tag_is_in_the_way(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.add(121, "tofu-runner01")
    found = bad(cluster, file)
    assert "not our tag" in found["in the way: VM 121 (tofu-runner01 on pve1)"]
    with pytest.raises(UnsafeLab, match="take another prefix"):
        require(cluster, file, file.plan())
    assert pve.asked("DELETE") == pve.asked("POST") == []


def test_a_vm_of_another_lab_of_ours_is_named_with_its_time(cluster: Cluster, file: ProxmoxLabFile, pve: Pve) -> None:
    pve.add(122, "tofu-runner01", "tofu-ha-acceptance", "run-other", "expires-20261125t180000z")
    found = bad(cluster, file)["in the way: VM 122 (tofu-runner01 on pve1)"]
    assert "it belongs to lab other, until 25 Nov 18:00 UTC" in found
    assert "down other" in found


def test_how_machines_are_spread_is_told_where_it_is_promised(file: ProxmoxLabFile) -> None:
    assert warnings(file, file.plan()) == []
    production = file.model_copy(update={"topology": "production"})
    found = warnings(production, production.plan())
    assert [each.name for each in found] == ["spread of storage"]
    assert found[0].found == "2 of 4 on one of 2 nodes; the role can lose 1"
    four = production.placement.model_copy(update={"nodes": ("a", "b", "c", "d")})
    assert warnings(production.model_copy(update={"placement": four}), replace(production.plan())) == []
