"""The reference configuration on machines of a lab that was made by somebody else: shown, applied, found again, undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.embedded.driver import attach
from provisioning.existing.writing import write_lab_file
from tests.cli.conftest import Run

CONFIG = "/etc/haproxy/haproxy.cfg"


@pytest.fixture(scope="module")
def lab_file(lab: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("owned") / "lab.toml"
    write_lab_file(attach(lab), path)
    return path


def test_a_lab_that_is_as_it_should_be_has_nothing_to_do(run: Run, lab: str, lab_file: Path) -> None:
    ended = run("apply", str(lab_file), "--yes", lab)
    assert (ended.returncode, ended.stdout) == (
        0,
        f"nothing to do: all 4 machines of lab {lab} are as in the reference configuration\n",
    ), ended.stderr


@pytest.mark.proof
def test_what_was_changed_by_hand_is_shown_mended_and_brought_back(run: Run, lab: str, lab_file: Path) -> None:
    def on(machine: str, command: str) -> str:
        return run("exec", machine, "--lab", lab, command).stdout

    on("balancer01", f"sed -i 's/balance static-rr/balance leastconn/' {CONFIG} && systemctl reload haproxy")
    on("runner02", "rm /etc/tofu/backend.tfbackend")
    shown = run("apply", str(lab_file))
    assert shown.returncode == 1
    assert "-    balance leastconn\n+    balance static-rr" in shown.stdout
    assert f"nothing was changed; to go on: python -m provisioning apply … --yes {lab}" in shown.stderr
    refused = run("apply", str(lab_file), "--yes", "another")
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (2, True)
    assert "leastconn" in on("balancer01", f"grep balance {CONFIG}")

    done = run("apply", str(lab_file), "--yes", lab)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("applied to runner02, balancer01; to bring back what was there: add --undo\n")
    assert "static-rr" in on("balancer01", f"grep balance {CONFIG}")
    assert on("balancer01", "systemctl is-active haproxy") == "active\n"
    assert run("apply", str(lab_file), "--yes", lab).stdout.startswith("nothing to do")

    undone = run("apply", str(lab_file), "--yes", lab, "--undo")
    assert undone.returncode == 0, undone.stderr
    assert "balancer01: /etc/haproxy/haproxy.cfg is as before" in undone.stdout
    assert "runner02: /etc/tofu/backend.tfbackend is gone" in undone.stdout
    assert "leastconn" in on("balancer01", f"grep balance {CONFIG}")
    assert run("apply", str(lab_file), "--yes", lab).returncode == 0
    assert run("apply", str(lab_file), "--yes", lab).stdout.startswith("nothing to do")


def test_a_lab_that_does_not_permit_it_is_left_alone(run: Run, lab: str, lab_file: Path) -> None:
    strict = lab_file.with_name("strict.toml")
    strict.write_text(lab_file.read_text().replace("provision = true", "provision = false"))
    ended = run("apply", str(strict), "--yes", lab)
    assert ended.returncode == 1
    assert ended.stderr == f"error: {strict} does not permit it: set provision = true in [permissions]\n"
