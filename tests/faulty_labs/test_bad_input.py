"""Whatever happens to a run with a real lab, it ends with a clear word, and nothing of the lab is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from model.waiting import wait_until
from provisioning.embedded.removal import leftovers
from tests.faulty_labs.acceptance_run import ROOT, AcceptanceRun, run_features
from tests.faulty_labs.defects import NO_SYSTEM

OK, INTERRUPTED, INCONCLUSIVE = 0, 2, 10
APPEARS_WITHIN = timedelta(seconds=120)
SINGLE = ("--topology", "single")
FIRST = "Every balancer is set up soundly"


def _press_ctrl_c(run: AcceptanceRun) -> None:
    """As a terminal does: to everybody in the foreground."""
    os.killpg(run.process.pid, signal.SIGINT)


def _terminate(run: AcceptanceRun) -> None:
    """As a CI system does that cancels a job."""
    run.process.terminate()


MOMENTS = {
    "in set-up": ("S5,V4", "", FIRST),
    "in a scenario": ("S5,V4", "ended: a runner is in the middle of applying a change", "The second runner is told who holds the lock"),
    "after a fault": ("S5,V7", "ended: its plug is pulled", "The plug of a runner is pulled"),
}
"""Checks that are run, the sentence after which the run is interrupted, and the scenario that it hits."""

EACH_WAY_AT_EACH_MOMENT = [
    pytest.param(
        way,
        moment,
        id=f"{moment}-{name}",
        marks=() if (name, moment) == ("sigterm", "after a fault") else pytest.mark.proof,
    )
    for moment in MOMENTS
    for name, way in (("ctrl-c", _press_ctrl_c), ("sigterm", _terminate))
]


def _await_labs(run: AcceptanceRun, count: int) -> None:
    """Wait until machines of that many labs boot."""
    wait_until(
        lambda: len({path.parents[2] for path in run.places("machines/*/nspawn.pid")}),
        lambda seen: seen == count,
        what=f"machines of {count} labs boot",
        within=APPEARS_WITHIN,
        every=timedelta(milliseconds=20),
    )


@pytest.mark.parametrize(("interrupt", "moment"), EACH_WAY_AT_EACH_MOMENT)
def test_interrupted(tmp_path: Path, interrupt: Callable[[AcceptanceRun], None], moment: str) -> None:
    checks, moment, scenario = MOMENTS[moment]
    run = AcceptanceRun(tmp_path, (*SINGLE, "--check", checks))
    if moment:
        run.wait_for_sentence(moment)
    else:
        _await_labs(run, 1)
    interrupt(run)
    assert run.finish() == INTERRUPTED, run.output
    verdicts = {title: entry["verdict"] for title, entry in run.scenarios.items()}
    assert verdicts.pop(FIRST) == ("passed" if moment else "not run"), run.scenarios[FIRST]["reason"]
    assert set(verdicts.values()) == {"not run"}, run.output
    assert run.scenarios[scenario]["reason"].startswith("interrupted"), run.scenarios[scenario]["reason"]
    assert run.record["interrupted"]
    assert "interrupted" in run.record["conclusion"]
    assert run.record["conclusion"].split("; ")[0] in " ".join(run.output.split())
    assert not run.record["dirty"]
    assert not run.remains()


@pytest.mark.proof
@pytest.mark.parametrize("interrupt", [pytest.param(_press_ctrl_c, id="ctrl-c"), pytest.param(_terminate, id="sigterm")])
def test_two_workers_are_interrupted(tmp_path: Path, interrupt: Callable[[AcceptanceRun], None]) -> None:
    run = AcceptanceRun(tmp_path, (*SINGLE, "--check", "V4", "-n", "2"))
    run.wait_for_sentence("ended: a runner is in the middle of applying a change")
    interrupt(run)
    assert run.finish() == INTERRUPTED, run.output
    assert run.record["interrupted"]
    assert not run.remains()


@pytest.mark.proof
def test_two_workers_have_a_lab_each(tmp_path: Path) -> None:
    run = AcceptanceRun(tmp_path, (*SINGLE, "--tier", "smoke", "-n", "2"))
    _await_labs(run, 2)
    assert run.finish() == OK, run.output
    assert {entry["verdict"] for entry in run.record["scenarios"]} == {"passed"}
    assert not run.remains()


def test_after_a_run_that_was_killed(tmp_path: Path) -> None:
    """The dead run's lab goes on, as nobody could remove it; the next run does, and works."""
    (tmp_path / "killed").mkdir()
    (tmp_path / "next").mkdir()
    killed = AcceptanceRun(tmp_path / "killed", (*SINGLE, "--check", "V4"))
    killed.wait_for_sentence("ended: a runner is in the middle of applying a change")
    (lab,) = killed.labs
    os.killpg(killed.process.pid, signal.SIGKILL)
    assert killed.finish() == -signal.SIGKILL
    kinds = {entry.split(": ")[-1].split()[0] for entry in killed.remains()}
    assert {"folder", "mount", "namespace", "process"} <= kinds, killed.remains()
    following = run_features(tmp_path / "next", *SINGLE, "--tier", "smoke")
    assert following.process.returncode == OK, following.output
    if f"left: {lab.name}" in following.progress:  # else another run on this host was quicker
        assert f"swept: lab {lab.name} of a run that died" in following.output
    assert not killed.remains()
    assert not following.remains()


@pytest.mark.proof
def test_a_lab_that_is_kept(tmp_path: Path) -> None:
    run = run_features(tmp_path, *SINGLE, "--check", "V2", "--keep", "always")
    assert run.process.returncode == OK, run.output
    (lab,) = run.labs
    try:
        assert f"kept: lab {lab.name}" in run.output
        assert lab.name not in {left.lab for left in leftovers()}
        enter, remove = (re.search(rf"{word}: +python (-m provisioning .*)", run.output) for word in ("enter", "remove"))
        assert enter
        assert f"runner01 --lab {lab.name}" in enter[1]
        assert remove
    finally:
        removed = subprocess.run(
            [sys.executable, "-m", "provisioning", "down", lab.name], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
    assert remove[1].split() == ["-m", "provisioning", "down", lab.name]
    assert removed.returncode == OK, removed.stderr
    assert not run.remains()


def test_a_machine_that_does_not_boot(tmp_path: Path) -> None:
    run = run_features(tmp_path, *SINGLE, "--check", "V2", "-k", "set_up", "--defect", NO_SYSTEM.name)
    assert run.process.returncode == INCONCLUSIVE, run.output
    (scenario,) = run.scenarios.values()
    assert scenario["verdict"] == "inconclusive"
    assert "runner02 ended while it booted; its console's last lines:" in scenario["reason"]
    assert "no operating system found" in scenario["reason"]
    (case,) = run.junit.values()
    assert case.find("error") is not None
    assert not run.remains()
