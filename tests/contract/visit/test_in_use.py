"""Others are found, and told from ourselves: jobs, held sessions and control of our own are nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from model.lab import Lab
from model.waiting import wait_until
from probes.clients.sessions import SessionHolder
from probes.in_use import Look, uses_of
from probes.job_steps import shell
from probes.jobs import JobClient
from probes.ssh import connect, runner_login
from probes.store import StoreProbe
from probes.workspace import Workspace
from provisioning import drivers
from tests.contract.network import in_own_network

WITHIN = timedelta(seconds=15)
LOCK = b'{"ID":"4711","Operation":"OperationTypeApply","Who":"alice@workstation","Created":"2026-11-25T10:00:00Z"}'


@pytest.fixture
def seen_from(file: Path) -> Iterator[Lab]:
    """The lab as a guest sees it, over SSH; the test is in its network."""
    driver = drivers.existing(file)
    lab = driver.connect(driver.file.plan())
    with in_own_network():
        driver.enter(lab)
        yield lab
    driver.remove(lab)


@pytest.fixture
def store(seen_from: Lab) -> Iterator[StoreProbe]:
    made = StoreProbe(seen_from.store)
    yield made
    made.close()


def look(lab: Lab, store: StoreProbe) -> Look:
    return uses_of(lab, store, locks=True)


def await_use(lab: Lab, store: StoreProbe) -> str:
    return str(wait_until(lambda: look(lab, store), lambda seen: bool(seen.uses), what="somebody is seen", within=WITHIN).value)


def test_nobody_is_there(seen_from: Lab, store: StoreProbe) -> None:
    assert look(seen_from, store) == Look()
    assert look(seen_from, store) == Look(), "our own control connections are kept open, and count for nobody"


def test_somebodys_session(seen_from: Lab, store: StoreProbe) -> None:
    session = connect(runner_login(seen_from, seen_from.machines["runner02"]))
    with session, session.start("exec sleep 60"):  # type: ignore[union-attr]
        told = await_use(seen_from, store)
    assert told.startswith("a session of pipeline from 10.1.0."), told
    assert "on runner02 (process " in told
    assert "sleep 60" in told
    wait_until(lambda: look(seen_from, store), lambda seen: not seen.uses, what="nobody is there any more", within=timedelta(seconds=70))


def test_somebodys_tofu(seen_from: Lab, store: StoreProbe) -> None:
    runner = seen_from.machines["runner01"]
    assert runner.run("cp $(command -v sleep) /tmp/tofu && systemd-run --quiet --unit=stranger --uid=pipeline /tmp/tofu 60").ok
    try:
        told = await_use(seen_from, store)
    finally:
        assert runner.run("systemctl stop stranger.service; rm /tmp/tofu").ok
    assert told.startswith("a tofu process of pipeline on runner01 (process "), told


def test_somebodys_lock(seen_from: Lab, store: StoreProbe) -> None:
    key = "network/terraform.tfstate.tflock"
    version = store.put(key, LOCK).value
    try:
        told = str(look(seen_from, store))
        assert told == ("the lock of alice@workstation on state network/terraform.tfstate, since 2026-11-25T10:00:00Z (OperationTypeApply)")
        assert uses_of(seen_from, store, locks=False) == Look()
    finally:
        store.remove(key, version)


def test_we_are_not_somebody(seen_from: Lab, store: StoreProbe) -> None:
    jobs, held = JobClient(seen_from), SessionHolder(seen_from, 2)
    job = jobs.start_on(seen_from.machines["runner01"], Workspace("acceptance/x/terraform.tfstate"), shell("wait", "sleep 5"))
    held.start()
    try:
        wait_until(lambda: job.runner, bool, what="the job runs", within=WITHIN)
        assert look(seen_from, store) == Look()
    finally:
        held.stop()
        jobs.finish(job)
