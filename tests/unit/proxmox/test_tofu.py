"""OpenTofu from Python: what it says is told, Ctrl-C lets it write down what it made, and it does not outlive us. It is a script here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from model.errors import LabUnavailable
from model.topology import topology
from model.waiting import wait_until
from provisioning.proxmox.making import make_vms
from provisioning.proxmox.tofu import ApplyFailed, Tofu
from provisioning.proxmox.workspace import Workspace

ROOT = Path(__file__).parents[3]
PLAN = topology("single", 2)
OUTPUT = (
    '{"machines": {"value": {'
    + ", ".join(f'"{each.name}": {{"vm_id": {100 + at}, "ip_address": "{each.address}"}}' for at, each in enumerate(PLAN.machines))
    + "}}}"
)
FAILS = """
╷
│ Error: error cloning VM: unable to create VM 101: {why}
│
│   with module.runner["runner02"].proxmox_virtual_environment_vm.this,
│   on ../../modules/basic-vm/main.tf line 10
╵
"""


def tofu(folder: Path, script: str, **settings: str) -> Tofu:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Tofu(folder, folder, program, settings)


def test_only_what_opentofu_takes_is_passed(tmp_path: Path) -> None:
    made = tofu(tmp_path, f'echo "$@" >> {tmp_path}/said; echo "$TF_VAR_api_token" >> {tmp_path}/token', TF_VAR_api_token="hush-hush")  # noqa: S106
    made.init()
    made.apply(2)
    made.apply(1, 'module.runner["runner01"]')
    made.destroy()
    assert (tmp_path / "said").read_text().splitlines() == [
        "init -no-color -input=false",
        "apply -auto-approve -no-color -input=false -parallelism=2 -lock-timeout=120s",
        'apply -auto-approve -no-color -input=false -parallelism=1 -lock-timeout=120s -replace=module.runner["runner01"]',
        "destroy -auto-approve -no-color -input=false -lock-timeout=120s",
    ]
    assert set((tmp_path / "token").read_text().split()) == {"hush-hush"}
    assert "TF_VAR_api_token" not in os.environ


@pytest.mark.parametrize(("status", "differs"), [(0, False), (2, True)])
def test_a_plan_with_changes_is_no_error(tmp_path: Path, status: int, *, differs: bool) -> None:
    assert tofu(tmp_path, f"exit {status}").plan() is differs


TASK_FAILS = """
Error: VM clone

  with module.runner["runner03"].proxmox_virtual_environment_vm.this,
  on ../../modules/basic-vm/main.tf line 10, in resource "proxmox_virtual_environment_vm" "this":
  10: resource "proxmox_virtual_environment_vm" "this" {{

task
"UPID:pve1:000003EA:00001B66:6B075D8A:qmclone:9000:acceptance@pve!suite:"
failed to complete with exit code: clone failed: {why}
task log:
  creating a clone of VM 9000 with ID 16158
  TASK ERROR: clone failed: {why}

Error: VM start

  with module.runner["runner01"].proxmox_virtual_environment_vm.this,
  on ../../modules/basic-vm/main.tf line 10, in resource "proxmox_virtual_environment_vm" "this":
  10: resource "proxmox_virtual_environment_vm" "this" {{

no space
"""


def test_the_cause_is_told_that_the_provider_puts_behind_the_place(tmp_path: Path) -> None:
    (tmp_path / "error").write_text(TASK_FAILS.format(why="storage is\nfull"))
    with pytest.raises(ApplyFailed) as caught:
        tofu(tmp_path, f"cat {tmp_path}/error >&2; exit 1").apply(1)
    assert str(caught.value) == "tofu apply failed: VM clone (runner03): clone failed: storage is full; VM start (runner01): no space"
    assert not caught.value.transient
    (tmp_path / "error").write_text(TASK_FAILS.format(why="can't lock file\n'/var/lock/x' - got timeout"))
    with pytest.raises(ApplyFailed) as caught:
        tofu(tmp_path, f"cat {tmp_path}/error >&2; exit 1").apply(1)
    assert caught.value.transient


def test_what_failed_is_told_without_the_frame(tmp_path: Path) -> None:
    (tmp_path / "error").write_text(FAILS.format(why="storage is full"))
    with pytest.raises(ApplyFailed) as caught:
        tofu(tmp_path, f"cat {tmp_path}/error >&2; exit 1").apply(1)
    assert str(caught.value) == "tofu apply failed: error cloning VM: unable to create VM 101: storage is full (runner02)"
    assert not caught.value.transient


def test_a_busy_cluster_is_tried_again_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "error").write_text(FAILS.format(why="can't lock file '/var/lock/pve-manager/pve-storage-x' - got timeout"))
    script = f"""
        echo "$@" >> {tmp_path}/said
        case $1 in
        apply) test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; cat {tmp_path}/error >&2; exit 1; }};;
        output) echo '{OUTPUT}';;
        esac"""
    pauses: list[float] = []
    numbers = make_vms(tofu(tmp_path, script), Workspace(tmp_path), PLAN, 2, lambda _what: None, pause=pauses.append)
    assert numbers["runner01"] == 102
    applies = [line for line in (tmp_path / "said").read_text().splitlines() if line.startswith("apply")]
    assert ["-parallelism=2" in line for line in applies] == [True, False]
    assert len(pauses) == 1


def test_another_address_than_planned_is_an_error(tmp_path: Path) -> None:
    moved = OUTPUT.replace("10.1.0.104", "10.1.0.204")
    with pytest.raises(LabUnavailable, match=r"runner02 has the address 10\.1\.0\.204, not 10\.1\.0\.104"):
        make_vms(tofu(tmp_path, f"echo '{moved}'"), Workspace(tmp_path), PLAN, 2, lambda _what: None)


WORKS = """
trap 'echo written > {folder}/state; exit 1' INT
touch {folder}/begun
for _ in $(seq 600); do sleep 0.05; done
"""


def _await(file: Path) -> None:
    wait_until(file.exists, bool, what=f"{file.name} is there", within=timedelta(seconds=10), every=timedelta(milliseconds=20))


def test_ctrl_c_lets_it_write_down_what_it_made(tmp_path: Path) -> None:
    made = tofu(tmp_path, WORKS.format(folder=tmp_path))

    def interrupt() -> None:
        _await(tmp_path / "begun")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        made.apply(2)
    thread.join()
    assert (tmp_path / "state").read_text() == "written\n"
    assert not (tmp_path / "tofu.pid").exists()


COUNTS = """#!{python}
import signal
from pathlib import Path

signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGINT}})
Path("{folder}/begun").touch()
signal.sigwait({{signal.SIGINT}})
again = signal.sigtimedwait({{signal.SIGINT}}, 1)
Path("{folder}/heard").write_text("once" if again is None else "twice")
"""


@pytest.mark.parametrize("attempt", range(3))
def test_it_hears_of_an_interruption_once(tmp_path: Path, attempt: int) -> None:
    """At the second one OpenTofu leaves at once, and its state is lost."""
    made = tofu(tmp_path, "")
    made.program.write_text(COUNTS.format(python=sys.executable, folder=tmp_path))
    thread = threading.Thread(target=made.apply, args=(2,))
    thread.start()
    _await(tmp_path / "begun")
    made.stop()
    thread.join()
    assert (tmp_path / "heard").read_text() == "once"


def test_it_does_not_outlive_us(tmp_path: Path) -> None:
    tofu(tmp_path, WORKS.format(folder=tmp_path))
    child = f"""
        from pathlib import Path
        from provisioning.proxmox.tofu import Tofu
        folder = Path({str(tmp_path)!r})
        Tofu(folder, folder, folder / "program", {{}}).apply(2)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(child)], cwd=ROOT) as process:
        _await(tmp_path / "begun")
        process.send_signal(signal.SIGKILL)
    _await(tmp_path / "state")
