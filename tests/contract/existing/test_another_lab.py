"""A lab that is not like ours: four runners, other names and ports, an account that becomes root by sudo, runners behind a jump host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model.lab import Lab
from model.topology import GUIDE_RUNNER, Address, MachineSpec, Role, Topology
from provisioning.embedded.blueprint import Blueprint
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.embedded.names import LabNames
from tests.contract.peer import Peer
from tests.contract.temporary import temporary_lab

pytestmark = pytest.mark.proof

NO_POWER = "the lab's driver cannot do this to ci-"
NOT_CARRIED = "is reached through a jump host only, which carries SSH and nothing else for us"
FEASIBLE = ("--allow-disruption", "-m", "not disruptive or check(id='V6') or check(id='V7')")
ROOT = Path(__file__).parents[3]
MACHINES = (
    MachineSpec("minio-a", "10.1.0.31", Role.STORAGE),
    MachineSpec("gateway", "10.1.0.40", Role.BALANCER),
    *(
        MachineSpec(f"ci-{name}", f"10.1.0.{50 + number}", Role.RUNNER, GUIDE_RUNNER)
        for number, name in enumerate(("amsel", "drossel", "fink", "star"))
    ),
)
PLAN = Topology("single", MACHINES, Address("10.1.0.40", 2222), Address("10.1.0.31", 9100), console_port=9101, statistics_port=8500)
KEEPER = """
set -e
useradd --create-home --shell /bin/bash --password '*' keeper
cp /etc/ssh/authorized_keys/root /etc/ssh/authorized_keys/keeper
rm /etc/ssh/authorized_keys/root
printf 'keeper ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/keeper
chmod 440 /etc/sudoers.d/keeper
"""
ONLY_FROM_THE_GATEWAY = """nft -f - <<'rules'
table inet site {
    chain input {
        type filter hook input priority 0; policy accept;
        tcp dport 22 ip saddr != 10.1.0.40 reject with tcp reset
    }
}
rules
"""


@pytest.fixture(scope="module")
def lab(driver: EmbeddedDriver) -> Iterator[Lab]:
    with temporary_lab(driver, PLAN, "another") as made:
        for machine in made.machines.values():
            assert machine.run(KEEPER).ok
            if machine.role is Role.RUNNER:
                assert machine.run(ONLY_FROM_THE_GATEWAY).ok
        yield made


@pytest.fixture(scope="module")
def peer(lab: Lab) -> Iterator[Peer]:
    there = Peer(lab)
    yield there
    there.close()


@pytest.fixture(scope="module")
def file(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = LabNames(lab.name)
    blueprint = Blueprint.load(names.folder)
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - TOML
    path = tmp_path_factory.mktemp("another") / "another.toml"
    text = environment.get_template("another.toml.j2").render(
        lab=lab,
        network=names.network,
        key=blueprint.login_key,
        known_hosts=blueprint.known_hosts,
        host_ca=blueprint.authority.public_key,
        jump=lab.balancers[0].address,
    )
    path.write_text(text, encoding="utf-8")
    return path


def told(lab: Lab, *command: str | Path) -> subprocess.CompletedProcess[str]:
    secrets = {"ANOTHER_LAB_KEY": lab.store.access_key, "ANOTHER_LAB_SECRET": lab.store.secret_key}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **secrets}, capture_output=True, text=True, check=False, timeout=400
    )


def test_it_is_as_it_is_meant_to_be(lab: Lab, peer: Peer) -> None:
    assert peer.attempt(lab.runners[0]) == "refused", "runners are behind the jump host"


def test_it_is_looked_over(lab: Lab, file: Path) -> None:
    done = told(lab, "provisioning", "check", file, "--json")
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert [each for each in found["findings"] if not each["ok"]] == []
    assert done.returncode == 0, done.stderr


def test_the_suite_runs_on_it(lab: Lab, file: Path, tmp_path: Path) -> None:
    done = told(lab, "pytest", "features/", *("-p", "tests.faulty_labs.plugin", "--runs", tmp_path), "--lab", file, *FEASIBLE)
    assert "Exit code" in done.stdout, done.stdout + done.stderr
    [record] = tmp_path.glob("*/run.json")
    verdicts: dict[str, list[str]] = {}
    reasons = set()
    for each in json.loads(record.read_text(encoding="utf-8"))["scenarios"]:
        verdicts.setdefault(each["verdict"], []).append(each["title"])
        if each["verdict"] == "not run":
            reasons.add(each["reason"])
    assert set(verdicts) == {"passed", "not run"}, done.stdout
    assert len(verdicts["passed"]) > len(verdicts["not run"]) * 4, verdicts
    lacking = {reason for reason in reasons if not reason.endswith(NOT_CARRIED) and not reason.startswith(NO_POWER)}
    assert lacking == set(), "no power control, and nothing but logins by the jump host"
