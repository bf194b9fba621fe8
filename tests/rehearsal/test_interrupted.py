# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who is interrupted leaves nothing; who is killed leaves what the next one finds: a run's lab on its cluster, and a rehearsal itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from model.errors import MachineDidNotBoot
from model.waiting import wait_until
from provisioning import drivers, places
from provisioning.embedded.names import LabNames
from provisioning.embedded.removal import sweep
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.workspace import workspaces
from tests.contract.traces import traces_of
from tests.rehearsal.rehearsal import Rehearsal
from tests.rehearsal.serving import BRIDGE, NODES, POOL, TEMPLATE

ROOT = Path(__file__).parents[2]
SLOW_SECONDS = 0.1
WITHIN = timedelta(seconds=300)
"""Our patience, and no promise of the driver: with seventeen runnable processes on two cores, a lab took over two minutes."""

INTERRUPTED = 130


@contextmanager
def program(*words: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A command of the project, ended in any case."""
    started = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def await_vms(paper: Rehearsal, number: int) -> None:
    wait_until(lambda: len(paper.vms()), lambda seen: seen >= number, what=f"{number} VMs are there", within=WITHIN)


def await_calm(paper: Rehearsal) -> None:
    """OpenTofu does not outlive who began it."""
    folder = places.clusters() / "killed"
    wait_until(lambda: (folder / "tofu.pid").exists() and _lives(folder), lambda lives: not lives, what="OpenTofu has ended", within=WITHIN)


def _lives(folder: Path) -> bool:
    return Path(f"/proc/{(folder / 'tofu.pid').read_text().strip()}").exists()


@contextmanager
def in_the_middle(paper: Rehearsal) -> Iterator[subprocess.Popen[str]]:
    """A run that is making VMs."""
    paper.serving.do(lambda cluster: cluster.slow_network(SLOW_SECONDS))
    with program("provisioning", "up", "killed", "--lab", str(paper.lab_file()), environment=paper.environment) as run:
        await_vms(paper, 2)
        yield run
    paper.serving.do(lambda cluster: cluster.slow_network(0))


def test_ctrl_c_in_the_middle_of_an_apply_leaves_nothing(paper: Rehearsal) -> None:
    with in_the_middle(paper) as run:
        run.send_signal(signal.SIGINT)
        assert run.wait(WITHIN.total_seconds()) == INTERRUPTED
    assert paper.vms() == []
    assert list(workspaces()) == []


def test_what_a_killed_run_left_is_found_by_sweep(paper: Rehearsal) -> None:
    with in_the_middle(paper) as run:
        run.kill()
    await_calm(paper)
    assert paper.vms() != []
    assert [(each.name, each.state()) for each in workspaces()] == [("killed", "nobody")]
    with program("provisioning", "sweep", "--lab", str(paper.lab_file()), environment=paper.environment) as sweeping:
        said, _ = sweeping.communicate(timeout=WITHIN.total_seconds())
    assert "of lab killed: left by a run that died" in said
    assert paper.vms() == []
    assert list(workspaces()) == []


def test_what_a_killed_run_left_goes_with_the_next_one(paper: Rehearsal, driver: ProxmoxDriver) -> None:
    with in_the_middle(paper) as run:
        run.kill()
    await_calm(paper)
    left = paper.serving.do(lambda cluster: {vm.vmid for vm in cluster.vms if not vm.template})
    with pytest.raises(MachineDidNotBoot):
        driver.provision(driver.file.plan(), "run-2")
    now = paper.serving.do(lambda cluster: {vm.vmid for vm in cluster.vms if not vm.template})
    assert left
    assert not left & now
    assert [each.name for each in workspaces()] == ["run-2"]


@contextmanager
def playing() -> Iterator[tuple[subprocess.Popen[str], LabNames]]:
    """A rehearsal in a process of its own, with one machine."""
    names = LabNames(f"pve-play-{os.getpid()}")
    with program("tests.rehearsal", "serve", "--name", names.lab) as serving:
        assert serving.stdout is not None
        path = next(line.split()[-1] for line in serving.stdout if "check" in line)
        cluster = drivers.proxmox(Path(path)).cluster
        node = NODES[0]

        def clone(api: Any) -> str:
            return str(api.nodes(node).qemu(TEMPLATE).clone.post(newid=101, name="alone", full=1, pool=POOL))

        cluster.task("cloning", clone)
        settings = {"ipconfig0": "ip=10.1.0.50/24", "ciuser": "debian", "net0": f"virtio,bridge={BRIDGE}", "memory": 512}
        cluster.call("setting", lambda api: api.nodes(node).qemu(101).config.put(**settings))
        cluster.task("starting", lambda api: str(api.nodes(node).qemu(101).status.start.post()))
        cluster.close()
        assert any(trace for trace in traces_of(names.lab) if "vm101" in str(trace))
        yield serving, names


def machines_of(names: LabNames) -> list[str]:
    return [trace for trace in traces_of(names.lab) if "-vm" in trace]


@contextmanager
def in_the_middle_of_a_run(name: str) -> Iterator[tuple[subprocess.Popen[str], LabNames]]:
    """A rehearsal of one check, whose first machines are there."""
    names = LabNames(f"{name}-{os.getpid()}")
    with program("tests.rehearsal", "run", "--name", names.lab, "--topology", "single", "--check", "S4") as run:
        wait_until(lambda: machines_of(names), bool, what="there are machines", within=WITHIN)
        yield run, names


def test_a_run_on_a_rehearsal_that_is_interrupted_leaves_nothing() -> None:
    with in_the_middle_of_a_run("pve-stop") as (run, names):
        run.send_signal(signal.SIGINT)
        assert run.wait(WITHIN.total_seconds()) == INTERRUPTED
    assert traces_of(names.lab) == []


def test_what_a_killed_run_on_a_rehearsal_left_is_found_by_sweep() -> None:
    with in_the_middle_of_a_run("pve-kill") as (run, names):
        run.kill()
        run.communicate(timeout=WITHIN.total_seconds())  # and what it had started
    sweep()  # or whoever began a run meanwhile did
    assert traces_of(names.lab) == []


def test_a_rehearsal_that_is_interrupted_leaves_nothing() -> None:
    with playing() as (serving, names):
        serving.send_signal(signal.SIGINT)
        assert serving.wait(WITHIN.total_seconds()) == 0
    assert traces_of(names.lab) == []


def test_what_a_killed_rehearsal_left_is_found_by_sweep() -> None:
    with playing() as (serving, names):
        serving.kill()
        serving.wait(WITHIN.total_seconds())
    assert traces_of(names.lab) != []
    assert names.lab in {leftover.lab for leftover in sweep()}
    assert traces_of(names.lab) == []
