"""Whatever a run was doing to a lab of somebody else's when it was killed: `heal` repairs it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model.journal import file_name, read_journal
from model.lab import Lab
from model.topology import topology
from model.waiting import wait_until
from probes.condition import Condition, look_at
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.existing.writing import write_lab_file
from tests.contract.faults.conftest import SERVES_WITHIN, await_baseline
from tests.contract.faults.zoo import ONE_OF_EACH
from tests.contract.peer import Peer
from tests.contract.temporary import temporary_lab

ROOT = Path(__file__).parents[3]
HEALS_THEMSELVES = {"rebooted", "made anew", "restarted", "killed"}
SEEN_BY_ITS_PROOF_ALONE = {"keepalived stopped", "cut off from one machine", "packets lost", "answer lost", "stranger's host key"}
"""A look over the whole lab finds everything serving: another machine took over, or only some notice."""

TIMERS = "systemctl list-timers --no-legend 'tha-undo-*' | wc -l"

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def lab(driver: EmbeddedDriver) -> Iterator[Lab]:
    with temporary_lab(driver, topology("production"), "killed") as made:
        yield made


@pytest.fixture(scope="module")
def peer(lab: Lab) -> Iterator[Peer]:
    there = Peer(lab)
    yield there
    there.close()


@pytest.fixture(scope="module")
def baseline(lab: Lab, peer: Peer) -> Condition:
    return wait_until(
        lambda: peer.call(look_at, lab), lambda seen: seen.is_good, what="the lab serves", within=SERVES_WITHIN, in_a_row=2
    ).value


@pytest.fixture(scope="module")
def lab_file(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "lab.toml"
    write_lab_file(lab, path)
    return path


def python(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("title", ONE_OF_EACH)
def test_a_run_that_is_killed_is_healed_afterwards(
    title: str,
    lab: Lab,
    peer: Peer,
    baseline: Condition,
    lab_file: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    journal = tmp_path / file_name()
    died = python("tests.contract.existing.dies", lab_file, journal, title)
    assert died.returncode == -9, died.stderr
    assert died.stdout.startswith("struck: "), died.stderr
    debt = read_journal(journal)
    assert len(debt.broken) == 1
    assert bool(peer.call(look_at, lab).worse_than(baseline)) or title in HEALS_THEMSELVES | SEEN_BY_ITS_PROOF_ALONE
    began = time.monotonic()
    healed = python("provisioning", "heal", tmp_path)
    record_property("seconds of heal", round(time.monotonic() - began, 1))
    assert read_journal(journal).ended, healed.stderr
    await_baseline(lab, peer, baseline)
    assert {machine.run(TIMERS).stdout.strip() for machine in lab.machines.values()} == {"0"}
    again = python("provisioning", "heal", tmp_path)
    assert (again.returncode, again.stdout.strip()) == (0, f"run {tmp_path.name} owes nothing")
