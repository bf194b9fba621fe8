"""Whole runs in a lab of which only the state store is there: who may begin, what is said, and with which exit code. No lab is built."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from minio.versioningconfig import VersioningConfig

from model.lab import Store
from model.topology import Address
from model.waiting import wait_until
from probes.lease import Lease
from probes.lease_holder import Holder
from probes.store import StoreProbe
from provisioning import toolchain
from tests.contract.peer import PATIENCE
from tests.faulty_labs.acceptance_run import run_features

BUCKET, KEY, SECRET = "states", "someone", "not-so-secret-here"
OTHER = "20201231-235959-live"
USAGE, INCONCLUSIVE = 4, 10
V2 = ("--check", "V2")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


WITH_AND_WITHOUT_WORKERS = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="with workers", marks=pytest.mark.proof)]
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProbe]:
    """A state store on this host, with an empty bucket that keeps versions."""
    folder, address = tmp_path_factory.mktemp("store"), Address("127.0.0.1", _free_port())
    minio = toolchain.find(next(program for program in toolchain.PROGRAMS if program.name == "minio")).path
    environment = {**os.environ, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET}
    command = [str(minio), "server", "--quiet", "--address", str(address), "--console-address", f"127.0.0.1:{_free_port()}", str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            made = StoreProbe(Store(address, BUCKET, KEY, SECRET))
            wait_until(made.bucket_exists, lambda seen: seen.ok, what="the store answers", within=PATIENCE)
            made.client.make_bucket(bucket_name=BUCKET)
            made.client.set_bucket_versioning(bucket_name=BUCKET, config=VersioningConfig("Enabled"))
            yield made
            made.close()
        finally:
            process.terminate()


@pytest.fixture
def file(store: StoreProbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab file; its machines are addresses of this host at which nobody listens."""
    monkeypatch.setenv("LONELY_KEY", KEY)
    monkeypatch.setenv("LONELY_SECRET", SECRET)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    path, silent = tmp_path / "lonely.toml", _free_port()
    machines = {"storage01": "storage", "balancer01": "balancer", "runner01": "runner", "runner02": "runner"}
    entries = "".join(
        f'[[machine]]\nname = "{name}"\naddress = "127.0.0.{number}"\nport = {silent}\nroles = ["{role}"]\n'
        for number, (name, role) in enumerate(machines.items(), 2)
    )
    path.write_text(
        f'version = 1\nname = "lonely"\ntopology = "single"\n[ssh]\nprivate_key = "key"\n'
        f'[fleet]\nendpoint = "127.0.0.1:{silent}"\nprivate_key = "key"\nhost_ca = "{public}"\n'
        f'[store]\nendpoint = "{store.endpoint}"\nbucket = "{BUCKET}"\n'
        f'access_key = {{ env = "LONELY_KEY" }}\nsecret_key = {{ env = "LONELY_SECRET" }}\n'
        f'[permissions]\ndisruption = ["runner"]\n{entries}',
        encoding="utf-8",
    )
    return path


def test_no_way_in_at_all_is_told_at_once(file: Path, tmp_path: Path, store: StoreProbe) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(str(store.endpoint), f"127.0.0.1:{_free_port()}"), encoding="utf-8")
    run = run_features(tmp_path, "--lab", str(file), *V2)
    assert run.process.returncode == INCONCLUSIVE, run.output
    assert {each["verdict"] for each in run.scenarios.values()} == {"inconclusive"}
    assert all("no way into lab lonely" in each["reason"] for each in run.scenarios.values())
    assert run.record["spent"]["in_all"] < 30
    assert run.record["comparison"] is None


def test_what_does_not_answer_is_shown_and_nothing_is_left(file: Path, tmp_path: Path, store: StoreProbe) -> None:
    run = run_features(tmp_path, "--lab", str(file), *V2)
    assert run.process.returncode == INCONCLUSIVE, "its machines do not answer"
    assert "lacks: runner02: SSH: 127.0.0.5" in run.output
    assert "nothing in the lab will be disrupted" in run.output
    assert "lab before and after: nothing is left of what could be compared" in run.output
    assert [each.partition(":")[0] for each in run.record["comparison"]["unseen"]] == ["storage01", "balancer01", "runner01", "runner02"]
    assert store.versions("").value == ()


@WITH_AND_WITHOUT_WORKERS
def test_a_lab_in_use(file: Path, tmp_path: Path, store: StoreProbe, workers: tuple[str, ...]) -> None:
    lease = Lease(store, Holder.me(OTHER))
    lease.take()
    try:
        run = run_features(tmp_path, "--lab", str(file), *V2, *workers)
        assert lease.renew(), "the other run holds what it held"
    finally:
        assert lease.give_up() == ""
    assert run.process.returncode == INCONCLUSIVE, run.output
    for words in (f"the lab is in use: run {OTHER} of {lease.holder.who}", "good until", "Wait until it has ended"):
        assert words in run.record["stopped"]
    assert f"the lab is in use: run {OTHER}" in run.output
    assert store.versions("").value == ()


@pytest.mark.proof
@WITH_AND_WITHOUT_WORKERS
def test_a_prefix_of_somebody_else(file: Path, tmp_path: Path, store: StoreProbe, workers: tuple[str, ...]) -> None:
    store.put("acceptance/network/terraform.tfstate", b"{}")
    try:
        run = run_features(tmp_path, "--lab", str(file), *V2, *workers)
        assert [each.key for each in store.versions("").value or ()] == ["acceptance/network/terraform.tfstate"]
    finally:
        store.remove_all("acceptance/network/")
    assert run.process.returncode == USAGE, run.output
    assert "below acceptance/ in bucket states lies what is not ours: acceptance/network/terraform.tfstate" in run.output


@pytest.mark.parametrize(
    ("permitted", "words"),
    [
        pytest.param("", "permits none; say in permissions.disruption what may be broken", id="none", marks=pytest.mark.proof),
        pytest.param('"storage"', 'permit "quorum", too', id="storage without quorum"),
    ],
)
def test_a_fault_without_permission_is_refused_before_anything_starts(file: Path, tmp_path: Path, permitted: str, words: str) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('disruption = ["runner"]', f"disruption = [{permitted}]"), encoding="utf-8")
    run = run_features(tmp_path, "--lab", str(file), "--allow-disruption")
    assert run.process.returncode == USAGE, run.output
    assert words in " ".join(run.output.split())
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.proof), "2", pytest.param("auto", marks=pytest.mark.proof)])
def test_workers_break_nothing(file: Path, tmp_path: Path, workers: str) -> None:
    run = run_features(tmp_path, "--lab", str(file), "--allow-disruption", "-n", workers)
    assert run.process.returncode == USAGE, run.output
    assert "leave out -n or --allow-disruption" in run.output
