"""A run that is killed leaves a host that sweeping makes clean, and nobody else's lab is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model.lab import Lab
from model.waiting import wait_until
from provisioning.embedded import ownership, removal
from provisioning.embedded.driver import EmbeddedDriver, attach
from tests.contract.peer import PATIENCE, Peer
from tests.contract.traces import LABS, traces_of

ROOT = Path(__file__).parents[2]


@contextmanager
def making(name: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that makes a lab; it is gone at the end."""
    argv = [sys.executable, "-m", "tests.contract.crash", name, *words]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def await_first_machine(name: str) -> None:
    first = LABS / name / "machines/storage01/nspawn.pid"
    wait_until(first.exists, bool, what="the first machine gets power", within=PATIENCE)


def kill(process: subprocess.Popen[str], name: str) -> None:
    """Kill it, see that its lab is found while nobody else can sweep, and sweep.

    A child of it that was only about to become another program may hold the lock a moment longer.
    """
    with ownership.registry():
        process.kill()
        process.wait()
        found = lambda: {leftover.lab for leftover in removal.leftovers()}  # noqa: E731 - a look
        wait_until(found, lambda labs: name in labs, what=f"lab {name} is seen as left behind", within=PATIENCE)
    removal.sweep()


@pytest.mark.proof
def test_a_lab_that_was_killed_while_it_was_made_is_swept(owned: Lab, peer: Peer) -> None:
    name = f"contract-{os.getpid()}-half"
    with making(name) as process:
        await_first_machine(name)
        kill(process, name)
    assert traces_of(name) == []
    assert peer.answers(owned.machines["runner02"])


def test_a_lab_whose_run_was_killed_is_swept_and_only_it(driver: EmbeddedDriver, owned: Lab, peer: Peer) -> None:
    kept, dead = f"contract-{os.getpid()}-kept", f"contract-{os.getpid()}-dead"
    with making(kept, "kept") as maker:
        assert maker.wait(60) == 0
    try:
        with making(dead) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            kill(process, dead)
        assert traces_of(dead) == []
        there = Peer(attach(kept))
        there.await_answer(there.lab.machines["runner01"])
        there.close()
        assert peer.answers(owned.machines["runner02"])
    finally:
        driver.remove(attach(kept))
    assert traces_of(kept) == []


@pytest.mark.proof
def test_a_suspended_lab_whose_run_was_killed_is_swept_too() -> None:
    name = f"contract-{os.getpid()}-ice"
    with making(name) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        attach(name).machines["runner01"].suspend()
        kill(process, name)
    assert traces_of(name) == []


def test_a_killed_supervisor_does_not_hide_its_machine(driver: EmbeddedDriver) -> None:
    """Without systemd-nspawn the machine runs on, and nspawn cannot tidy up after itself."""
    name = f"contract-{os.getpid()}-stray"
    with making(name) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        supervisor = int((LABS / name / "machines/runner01/nspawn.pid").read_text(encoding="utf-8"))
        os.kill(supervisor, signal.SIGKILL)
        kill(process, name)
    assert traces_of(name) == []


def test_an_interrupted_set_up_leaves_nothing() -> None:
    name = f"contract-{os.getpid()}-stop"
    with making(name) as process:
        await_first_machine(name)
        process.send_signal(signal.SIGINT)
        process.wait(60)
        assert process.returncode != 0
    assert traces_of(name) == []
