"""Whole runs that disrupt a lab that is not ours: they wait for others, silence alerts, stop when it is taken over, leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from model.journal import file_name, read_journal
from model.lab import Lab
from probes.lease_holder import Holder
from provisioning.embedded.driver import EmbeddedDriver
from tests.contract.visit.test_in_use import LOCK
from tests.contract.visit.test_visit import in_its_network
from tests.faulty_labs.acceptance_run import ROOT, AcceptanceRun, run_features

OK, INTERRUPTED, INCONCLUSIVE, NOT_MET = 0, 2, 10, 11
SCENARIO = "The SSH service of a runner stops"
CHOSEN = ("--check", "V7", "-k", "the_ssh_service_of_a_runner_stops", "--allow-disruption")
OTHER = "20201231-235959-live"


@pytest.fixture
def own(file: Path, tmp_path: Path) -> Path:
    """The lab file, with commands round disruption."""
    path = tmp_path / "lab.toml"
    commands = 'before = "echo before >> journal"\nafter = "echo after >> journal"\n'
    path.write_text(f"{file.read_text(encoding='utf-8')}\n[around_disruption]\n{commands}", encoding="utf-8")
    return path


def journal(folder: Path) -> list[str]:
    path = folder / "journal"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def test_it_is_announced_and_leaves_nothing(own: Path, tmp_path: Path) -> None:
    run = run_features(tmp_path, "--lab", str(own), *CHOSEN)
    assert run.process.returncode == OK, run.output
    assert "will be disrupted, in 1 of 1 scenarios:" in run.output
    assert "  runner: runner01, runner02, in 1 scenarios" in run.output
    assert "lab before and after: nothing is left (" in run.output
    assert journal(tmp_path) == ["before", "after"]
    assert not run.record["dirty"]
    assert run.record["comparison"]["left"] == []


@pytest.mark.proof
def test_a_lock_of_somebody_else_is_waited_for_and_named(own: Path, tmp_path: Path, driver: EmbeddedDriver, owned: Lab) -> None:
    key, versions = "network/terraform.tfstate.tflock", list[str]()
    in_its_network(driver, owned, lambda store: versions.append(store.put(key, LOCK).value or ""))
    try:
        run = run_features(tmp_path, "--lab", str(own), *CHOSEN, "--patience", "0.1")
    finally:
        in_its_network(driver, owned, lambda store: store.remove(key, versions[0]))
    assert run.process.returncode == NOT_MET, run.output
    entry = run.scenarios[SCENARIO]
    assert entry["verdict"] == "not run"
    for words in (
        "nobody else works in the lab within 6 s",
        "the lock of alice@workstation on state network/terraform.tfstate",
        "since 2026",
    ):
        assert words in entry["reason"]
    assert journal(tmp_path) == [], "alerts are not silenced for what is not done"


@pytest.mark.proof
def test_nothing_is_disrupted_where_alerts_cannot_be_silenced(own: Path, tmp_path: Path) -> None:
    own.write_text(own.read_text(encoding="utf-8").replace('"echo before >> journal"', '"exit 7"'), encoding="utf-8")
    run = run_features(tmp_path, "--lab", str(own), *CHOSEN)
    assert run.process.returncode == NOT_MET, run.output
    assert "`exit 7` (around_disruption.before of the lab file) ended with 7" in run.scenarios[SCENARIO]["reason"]
    assert journal(tmp_path) == ["after"]


@pytest.mark.proof
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_heals_and_leaves_nothing(own: Path, tmp_path: Path, owned: Lab, number: signal.Signals) -> None:
    run = AcceptanceRun(tmp_path, ("--lab", str(own), *CHOSEN))
    run.wait_for_sentence("ended: its SSH service is stopped")
    stopped = [machine.name for machine in owned.runners if not machine.run("systemctl is-active --quiet ssh").ok]
    run.process.send_signal(number)
    assert run.finish() == INTERRUPTED, run.output
    assert len(stopped) == 1
    assert owned.machines[stopped[0]].run("systemctl is-active --quiet ssh").ok
    assert run.scenarios[SCENARIO]["reason"].startswith("interrupted")
    assert "lab before and after: nothing is left (" in run.output
    assert not run.record["dirty"]
    assert journal(tmp_path) == ["before", "after"]
    assert read_journal(run.folder / file_name()).ended


@pytest.mark.proof
def test_a_lab_that_becomes_somebody_elses_is_left_alone(own: Path, tmp_path: Path, driver: EmbeddedDriver, owned: Lab) -> None:
    run = AcceptanceRun(tmp_path, ("--lab", str(own), "--check", "V7,V2", "--allow-disruption"))
    try:
        run.wait_for_sentence("begins: ")
        in_its_network(driver, owned, lambda store: store.put("acceptance/lease.json", Holder.me(OTHER).as_json()))
        assert run.finish() == INCONCLUSIVE, run.output
    finally:
        in_its_network(driver, owned, lambda store: store.remove_all("acceptance/lease.json"))
    assert f"the lease of the lab is lost: it is held by run {OTHER}" in run.record["stopped"]
    assert "not run" in {entry["verdict"] for entry in run.scenarios.values()}


@pytest.mark.proof
def test_after_a_run_that_was_killed(own: Path, tmp_path: Path) -> None:
    """Its lease keeps the next one out, wherever that was started; `heal` gives it up, so that nobody has to wait for its end."""
    for name in ("killed", "next"):
        (tmp_path / name).mkdir()
    killed = AcceptanceRun(tmp_path / "killed", ("--lab", str(own), *CHOSEN))
    killed.wait_for_sentence("begins: ")
    os.killpg(killed.process.pid, signal.SIGKILL)
    killed.finish()
    second = run_features(tmp_path / "next", "--lab", str(own), "--check", "V2")
    assert second.process.returncode == INCONCLUSIVE, second.output
    assert f"the lab is in use: run {killed.folder.name} of " in second.record["stopped"]
    healed = subprocess.run(
        [sys.executable, "-m", "provisioning", "heal", str(killed.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert healed.returncode == OK, healed.stdout + healed.stderr
    (tmp_path / "third").mkdir()
    third = run_features(tmp_path / "third", "--lab", str(own), "--check", "V2")
    assert third.process.returncode == OK, third.output
    assert third.record["comparison"]["left"] == []
