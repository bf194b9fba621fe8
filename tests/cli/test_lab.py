"""A lab in the hands of a person: made, entered, broken by hand, looked at, removed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from model.waiting import wait_until
from provisioning.embedded.names import LabNames
from provisioning.embedded.ownership import Ownership, is_owned
from tests.cli.conftest import ROOT, Run
from tests.contract.peer import PATIENCE
from tests.contract.traces import LABS, traces_of

MORE_TRIES = 5


@pytest.fixture
def claimed() -> Iterator[Ownership]:
    """A lab's folder that belongs to this process, with nothing in it."""
    claim = Ownership.claim(LabNames(f"cli-{os.getpid()}-mine").folder)
    yield claim
    if is_owned(claim.folder):
        claim.release(keep=False)
    if claim.folder.exists():
        (claim.folder / "owner.lock").unlink()
        claim.folder.rmdir()


def test_a_lab_is_listed_with_what_a_person_and_a_program_want_to_know(run: Run, lab: str) -> None:
    listed = run("list").stdout
    assert f"{lab}: single, 4 of 4 machines on, " in listed
    assert f"  enter:  python -m provisioning ssh fleet --lab {lab}\n  remove: python -m provisioning down {lab}\n" in listed
    entry = next(entry for entry in json.loads(run("list", "--json").stdout) if entry["name"] == lab)
    assert entry["machines"] == dict.fromkeys(("storage01", "balancer01", "runner01", "runner02"), "on")
    assert (entry["topology"], entry["owner"], entry["remove"]) == ("single", "kept", f"python -m provisioning down {lab}")
    assert 0 <= entry["age_seconds"] < 600


def test_a_name_that_is_taken_is_refused_and_the_lab_stays(run: Run, lab: str) -> None:
    again = run("up", lab, "--topology", "single", "--runners", "2")
    assert again.returncode == 2
    assert again.stdout == ""
    assert f"error: a lab of the name '{lab}' is up; take another name, or `python -m provisioning down {lab}`\n" in again.stderr
    assert "Traceback" not in again.stderr
    assert run("exec", "runner01", "--lab", lab, "true").returncode == 0


def test_a_command_has_its_streams_and_its_exit_status(run: Run, lab: str) -> None:
    ended = run("exec", "runner01", "--lab", lab, "cat; echo wrong >&2; exit 5", stdin="hello\n")
    assert (ended.stdout, ended.stderr, ended.returncode) == ("hello\n", "wrong\n", 5)
    assert run("exec", "runner01", "--lab", lab, "echo", "a  b", "$HOME").stdout == "a  b $HOME\n"
    assert run("exec", "runner01", "--lab", lab, "--", "printf", "%s", "--lab").stdout == "--lab"


def test_an_unknown_machine_lists_the_machines(run: Run, lab: str) -> None:
    for words in (
        ("exec", "runner09", "--lab", lab, "true"),
        ("ssh", "runner09", "--lab", lab),
        ("power", "runner09", "off", "--lab", lab),
    ):
        ended = run(*words)
        assert ended.returncode == 2
        assert ended.stderr == f"error: lab {lab} has no machine 'runner09'; it has storage01, balancer01, runner01, runner02\n"


@pytest.mark.parametrize(("machine", "user"), [("runner01", "pipeline"), ("storage01", "root"), ("balancer01", "root")])
def test_a_person_logs_in_as_users_do(run: Run, lab: str, machine: str, user: str) -> None:
    ended = run("ssh", machine, "--lab", lab, "--", "echo $(hostname) $(id -un) ${SSH_CONNECTION% *}; exit 4")
    assert ended.returncode == 4, ended.stderr
    assert ended.stdout.startswith(f"{machine} {user} 10.1.0.1 ")


def test_a_person_reaches_the_fleet_as_a_pipeline_does(run: Run, lab: str) -> None:
    ended = run("ssh", "fleet", "--lab", lab, "--", "hostname; echo ${SSH_CONNECTION%% *}")
    assert ended.returncode == 0, ended.stderr
    name, client = ended.stdout.split()
    assert name in {"runner01", "runner02"}
    assert client == "10.1.0.102"


def test_a_rebuilt_machine_is_trusted_and_a_stranger_is_not(run: Run, lab: str) -> None:
    assert run("power", "runner02", "rebuild", "--lab", lab).returncode == 0
    assert run("ssh", "runner02", "--lab", lab, "--", "hostname").stdout == "runner02\n"
    known_hosts = LABS / lab / "known_hosts"
    authority = known_hosts.read_text(encoding="utf-8")
    known_hosts.write_text("", encoding="utf-8")
    try:
        assert run("ssh", "runner02", "--lab", lab, "--", "hostname").returncode == 255
    finally:
        known_hosts.write_text(authority, encoding="utf-8")


def test_the_journal_can_be_read_and_narrowed_down(run: Run, lab: str) -> None:
    journal = run("logs", "balancer01", "--lab", lab, "--unit", "haproxy", "--lines", "500")
    assert journal.returncode == 0
    assert "Started haproxy.service" in journal.stdout
    assert "ssh.service" not in journal.stdout
    assert len(run("logs", "balancer01", "--lab", lab, "-n", "2").stdout.splitlines()) == 2


def test_the_journal_can_be_followed(run: Run, lab: str) -> None:
    argv = [sys.executable, "-m", "provisioning", "logs", "runner01", "--lab", lab, "--follow", "-n", "0"]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as following:
        end = threading.Timer(PATIENCE.total_seconds(), following.kill)
        end.start()
        try:
            assert following.stdout is not None
            look = ("exec", "runner01", "--lab", lab, "pgrep", "journalctl")
            wait_until(lambda: run(*look).returncode, lambda status: status == 0, what="it follows", within=PATIENCE)
            run("exec", "runner01", "--lab", lab, "logger", "something happened")
            assert any("something happened" in line for line in following.stdout)
        finally:
            end.cancel()
            following.kill()


def test_power_does_what_it_says_and_refuses_what_cannot_be(run: Run, lab: str) -> None:
    def power(action: str) -> tuple[int, str]:
        ended = run("power", "runner01", action, "--lab", lab)
        return ended.returncode, ended.stdout + ended.stderr

    assert power("off") == (0, "runner01: its plug is pulled: peers see silence\n")
    assert power("off") == (0, "runner01 is off already\n")
    assert f"{lab}: single, 3 of 4 machines on (runner01 off), " in run("list").stdout
    assert power("reboot") == (2, "error: runner01 is off; `reboot` is for a machine that is on\n")
    ended = run("ssh", "runner01", "--lab", lab)
    assert ended.returncode == 2
    assert ended.stderr == f"error: runner01 is off; switch it on: python -m provisioning power runner01 on --lab {lab}\n"
    assert "Welcome to" in run("console", "runner01", "--lab", lab, "-n", "1000").stdout
    assert power("on") == (0, "runner01: booted\n")
    assert power("suspend")[0] == 0
    assert "(runner01 suspended)" in run("list").stdout
    assert power("on") == (2, "error: runner01 is suspended; `on` is for a machine that is off\n")
    assert power("resume") == (0, "runner01: goes on where it was\n")
    assert power("disconnect")[0] == 0
    assert power("reconnect")[0] == 0
    assert power("shutdown") == (0, "runner01: shut down in good order, and off\n")
    assert power("on") == (0, "runner01: booted\n")


def test_a_lab_of_a_living_run_is_removed_by_force_only(run: Run, claimed: Ownership) -> None:
    name = claimed.folder.name
    refused = run("down", name)
    assert refused.returncode == 1
    assert (
        refused.stderr == f"error: lab {name} belongs to a run that lives; end that run, or: python -m provisioning down {name} --force\n"
    )
    assert claimed.folder.exists()
    assert f"lab {name}" not in run("sweep", "--dry-run").stdout
    assert run("down", name, "--force").stdout == f"removed: lab {name}\n"
    assert traces_of(name) == []


def test_a_dry_sweep_shows_and_changes_nothing(run: Run, lab: str, claimed: Ownership) -> None:
    folder, name = claimed.folder, claimed.folder.name
    claimed.release(keep=False)
    shown = run("sweep", "--dry-run")
    for _ in range(MORE_TRIES):
        if folder.exists():
            break
        Ownership.claim(folder).release(keep=False)  # another run began, and every run sweeps when it begins
        shown = run("sweep", "--dry-run")
    assert folder.exists()
    assert shown.returncode == 0
    assert f"would remove: lab {name}\n  folder {folder}\n" in shown.stdout
    assert f"lab {lab}\n" not in shown.stdout
    swept = run("sweep")
    assert swept.returncode == 0
    assert f"removed: lab {name}\n" in swept.stdout or name not in swept.stdout  # as above
    assert traces_of(name) == []
    assert traces_of(lab) != []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_a_lab_is_made_leaves_nothing(number: signal.Signals) -> None:
    name = f"cli-{os.getpid()}-stop"
    argv = [sys.executable, "-m", "provisioning", "up", name, "--topology", "single", "--runners", "2"]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as making:
        first = LABS / name / "machines/storage01/nspawn.pid"
        wait_until(first.exists, bool, what="the first machine gets power", within=PATIENCE)
        making.send_signal(number)
        making.send_signal(number)
        said, complained = making.communicate(timeout=60)
    assert making.returncode == 130
    assert said == ""
    assert complained.endswith("error: stopped\n")
    assert "Traceback" not in complained
    assert traces_of(name) == []
