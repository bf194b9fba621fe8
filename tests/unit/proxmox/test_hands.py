"""A VM is held by the cluster's API; one that is not ours is left alone."""

from __future__ import annotations

import pytest

from model.errors import ControlChannelLost, UnsafeLab
from model.topology import MachineSpec, Role
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.hands import VmHands
from tests.unit.proxmox.pve import Answer, Pve

SPEC = MachineSpec("runner01", "10.1.0.103", Role.RUNNER)
OURS = ("tofu-ha-acceptance", "run-lab")
CARD = "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=0"


def test_pulling_the_plug_and_switching_on(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", *OURS)
    hands = VmHands(SPEC, cluster, 101, "lab")
    hands.do("off")
    assert not hands.is_on()
    hands.do("on")
    assert hands.is_on()
    assert pve.asked("POST") == ["/nodes/pve1/qemu/101/status/stop", "/nodes/pve1/qemu/101/status/start"]


def test_the_cable_comes_out_and_in_and_the_card_keeps_its_address(cluster: Cluster, pve: Pve) -> None:
    row = pve.add(101, "tofu-runner01", *OURS)
    row["config"]["net0"] = CARD
    hands = VmHands(SPEC, cluster, 101, "lab")
    hands.do("network_off")
    hands.do("network_off")
    assert row["config"]["net0"] == f"{CARD},link_down=1"
    hands.do("network_on")
    assert row["config"]["net0"] == CARD


def test_a_vm_that_moved_is_found_where_it_is(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", *OURS, node="pve2")
    VmHands(SPEC, cluster, 101, "lab").do("suspend")
    assert pve.asked("POST") == ["/nodes/pve2/qemu/101/status/suspend"]


@pytest.mark.parametrize(("tags", "words"), [((), "does not carry the tag"), (("tofu-ha-acceptance", "run-other"), "belongs to other")])
def test_a_vm_that_is_not_of_this_lab_is_not_touched(cluster: Cluster, pve: Pve, tags: tuple[str, ...], words: str) -> None:
    pve.add(101, "tofu-runner01", *tags)["config"]["net0"] = CARD
    hands = VmHands(SPEC, cluster, 101, "lab")
    for deed in ("off", "network_off", "suspend"):
        with pytest.raises(UnsafeLab, match=words):
            hands.do(deed)
    assert pve.asked("POST") == pve.asked("PUT") == []


def test_a_vm_that_its_owner_named_needs_no_tag(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "prod-runner01")
    VmHands(SPEC, cluster, 101).do("off")
    assert pve.asked("POST") == ["/nodes/pve1/qemu/101/status/stop"]


def test_a_deed_that_fails_is_a_lost_channel(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", *OURS)
    pve.tasks = ["VM quit/powerdown failed - got timeout"]
    with pytest.raises(ControlChannelLost, match="shutdown of runner01"):
        VmHands(SPEC, cluster, 101, "lab").do("shutdown")


def test_a_node_that_is_offline_is_a_lost_channel(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "tofu-runner01", *OURS)
    pve.refuses = lambda _method, path: Answer(595, "No route to host") if path.endswith("/status/current") else None
    with pytest.raises(ControlChannelLost, match="node of the cluster does not answer"):
        VmHands(SPEC, cluster, 101, "lab").is_on()


def test_rebuilding_is_there_where_somebody_can(cluster: Cluster) -> None:
    done: list[str] = []
    hands = VmHands(SPEC, cluster, 101, "lab", lambda: done.append("anew"))
    assert hands.has("rebuild", "off", "is_on")
    assert not VmHands(SPEC, cluster, 101, "lab").has("rebuild")
    hands.do("rebuild")
    assert done == ["anew"]
