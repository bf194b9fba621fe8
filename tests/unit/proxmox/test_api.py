"""Calls are retried where that helps, tasks are looked at, and refusals are told in plain words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model.errors import LabUnavailable, UnsafeLab
from provisioning.proxmox import api
from provisioning.proxmox.api import Cluster, VmLocked
from tests.unit.proxmox.pve import Answer, Pve

BUSY = "can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout"


def start(cluster: Cluster) -> None:
    cluster.task("starting VM 101", lambda px: px.nodes("pve1").qemu(101).status.start.post())


def test_a_task_that_fails_is_an_error(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "one")
    pve.tasks = ["start failed: QEMU exited with code 1"]
    with pytest.raises(LabUnavailable, match=r"starting VM 101: start failed: QEMU exited with code 1 \(UPID:pve1"):
        start(cluster)


def test_warnings_are_no_error(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "one")
    pve.tasks = ["WARNINGS: 1"]
    start(cluster)


@pytest.mark.parametrize("text", [BUSY, "got no worker upid - start worker failed", "Too many redirections"])
def test_what_is_transient_is_tried_again(cluster: Cluster, pve: Pve, text: str) -> None:
    pve.add(101, "one")
    answers = [Answer(500, text), Answer(500, text)]
    pve.refuses = lambda method, _path: answers.pop() if method == "POST" and answers else None
    start(cluster)
    assert len(pve.asked("POST")) == 3
    assert pve.pauses == [2.0, 2.0]


def test_a_task_that_met_a_lock_is_tried_again(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "one")
    pve.tasks = [BUSY]
    start(cluster)
    assert len(pve.asked("POST")) == 2


def test_what_stays_busy_is_given_up(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "one")
    pve.refuses = lambda method, _path: Answer(500, BUSY) if method == "POST" else None
    with pytest.raises(LabUnavailable, match="got timeout"):
        start(cluster)
    assert len(pve.asked("POST")) == api.TRIES


def test_a_locked_vm_is_waited_for(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "one")
    answers = [Answer(500, "VM is locked (backup)")] * 8
    pve.refuses = lambda method, _path: answers.pop() if method == "POST" and answers else None
    start(cluster)
    assert len(pve.pauses) == 8


def test_a_vm_that_stays_locked_is_never_forced(cluster: Cluster, pve: Pve, monkeypatch: pytest.MonkeyPatch) -> None:
    pve.add(101, "one")
    monkeypatch.setattr(api, "LOCKED_FOR", timedelta())
    pve.refuses = lambda method, _path: Answer(500, "VM is locked (backup)") if method == "POST" else None
    with pytest.raises(VmLocked, match=r"locked \(backup\), somebody else works on it; this is never forced"):
        start(cluster)
    assert all("skiplock" not in sent for _, sent in pve.calls)


def test_a_right_that_is_missing_is_named(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "one")
    pve.refuses = lambda method, _path: Answer(403, "Permission check failed (/vms/101, VM.PowerMgmt)") if method == "POST" else None
    with pytest.raises(UnsafeLab, match=r"the token suite@pve!lab lacks a right: /vms/101, VM.PowerMgmt"):
        start(cluster)
    assert len(pve.asked("POST")) == 1


def test_a_node_that_is_offline(cluster: Cluster, pve: Pve) -> None:
    pve.add(101, "one")
    pve.refuses = lambda method, _path: Answer(595, "No route to host") if method == "POST" else None
    with pytest.raises(LabUnavailable, match=r"a node of the cluster does not answer \(595 No route to host\)"):
        start(cluster)


def test_a_vm_that_the_token_may_not_see(cluster: Cluster) -> None:
    with pytest.raises(LabUnavailable, match=r"no VM 555 in the cluster, or the token suite@pve!lab may not see it \(VM.Audit\)"):
        cluster.vm(555)


def test_the_three_states_of_power(cluster: Cluster, pve: Pve) -> None:
    row = pve.add(101, "one")
    seen = []
    for status, qmp in (("running", "running"), ("running", "paused"), ("stopped", "stopped")):
        row |= {"status": status, "qmpstatus": qmp}
        seen.append(cluster.power(cluster.vm(101)))
    assert seen == ["running", "paused", "stopped"]
