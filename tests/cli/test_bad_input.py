"""What cannot be is told in one line that says what can: exit 2 for input, 1 for everything else, never a traceback."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from model.journal import Began, Journal, file_name, read_journal
from provisioning import hostcheck
from provisioning.embedded.ownership import Ownership
from provisioning.hostcheck import Finding

Ask = Callable[..., Result]


def complaint(result: Result, exit_code: int) -> str:
    """The one line of an error."""
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    line = result.stderr.removesuffix("\n")
    assert line.startswith("error: ")
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("up", "--topology", "triple"), "unknown topology 'triple'; valid ones: single, production"),
        (("up", "--runners", "1"), "a fleet has 2 to 100 runners, not 1"),
        (("up", "My_Lab"), "'My_Lab' cannot be a lab's name: use up to 40 of a-z, 0-9 and '-'"),
        (("up", "x-runner01"), "no '-' or machine's name at its end"),
        (("up", "cli-x", "--minio", "/nowhere/minio"), "/nowhere/minio"),
        (("down",), "give a lab's name, or --all; there is none on this host"),
        (("down", "cli-x", "--all"), "give a lab's name, or --all"),
        (("down", "cli-x"), "there is no lab 'cli-x'; there is none on this host"),
        (("up", "--lab", "/nowhere/px.toml"), "there is no lab file /nowhere/px.toml"),
        (("up", "--lab", "labs/example.toml"), "this file describes a lab that is there already"),
        (("check", "labs/proxmox.toml"), "cluster.ca_file: there is no "),
        (("sweep", "--lab", "labs/proxmox.toml"), "it is /etc/pve/pve-root-ca.pem of any node"),
        (("apply", "/nowhere/mine.toml"), "there is no lab file /nowhere/mine.toml"),
        (("apply", "labs/proxmox.toml", "--yes", "pve-lab"), "labs/proxmox.toml:10: this file plans a lab that is made"),
        (("heal", "20201231-235959-dead"), "there is no run 20201231-235959-dead: "),
        (("check", "/nowhere/mine.toml"), "there is no lab file /nowhere/mine.toml"),
        (("ssh", "runner01"), "no lab is up; make one: python -m provisioning up"),
        (("exec", "runner01", "--lab", "cli-x", "true"), "there is no lab 'cli-x'; no lab is up"),
        (("power", "runner01", "off"), "no lab is up"),
    ],
)
def test_input_that_is_wrong_is_named_with_what_is_valid(ask: Ask, no_labs: Path, words: tuple[str, ...], said: str) -> None:
    assert said in complaint(ask(*words), 2)


def test_a_run_whose_lab_file_is_gone_cannot_be_healed_and_stays_owed(ask: Ask, tmp_path: Path) -> None:
    journal = Journal(tmp_path / file_name())
    journal.write(Began("20201231-235959-dead", "mine", "/nowhere/mine.toml", "acceptance/20201231-235959-dead/"))
    journal.close()
    assert "to repair what run 20201231-235959-dead left, its lab file /nowhere/mine.toml is needed" in complaint(
        ask("heal", str(tmp_path)), 2
    )
    assert not read_journal(journal.path).ended


@pytest.mark.parametrize("words", [("exec", "runner01"), ("power", "runner01", "explode"), ("logs", "runner01", "-n", "-1"), ("fly",)])
def test_a_command_that_is_used_wrongly_explains_itself(ask: Ask, no_labs: Path, words: tuple[str, ...]) -> None:
    result = ask(*words)
    assert result.exit_code == 2
    assert "Usage: python -m provisioning" in result.stderr


@pytest.mark.parametrize(
    "words",
    [("up", "cli-x"), ("down", "cli-x"), ("list",), ("sweep",), ("sweep", "--dry-run"), ("ssh", "runner01"), ("console", "runner01")],
)
def test_without_root_one_line_says_so(ask: Ask, no_labs: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    line = complaint(ask(*words), 1)
    assert "root" in line
    assert "exist" in line
    assert not no_labs.exists()


def test_of_several_labs_the_one_that_is_meant_must_be_named(ask: Ask, no_labs: Path) -> None:
    owned = [Ownership.claim(no_labs / name) for name in ("cli-one", "cli-two")]
    try:
        line = complaint(ask("logs", "runner01"), 2)
    finally:
        for claim in owned:
            claim.release(keep=False)
    assert line == "error: say which lab is meant with --lab NAME; labs that are up: cli-one, cli-two"


def test_a_lab_that_was_left_behind_is_listed_but_cannot_be_entered(ask: Ask, no_labs: Path) -> None:
    Ownership.claim(no_labs / "cli-dead").release(keep=False)
    listed = ask("list").stdout
    assert "cli-dead: not laid out, 0 of 0 machines on, left by a run that died" in listed
    assert "enter:" not in listed
    assert "no lab is up" in complaint(ask("exec", "runner01", "true"), 2)


def test_what_is_no_lab_is_listed_as_what_it_is_and_cannot_be_entered(ask: Ask, no_labs: Path) -> None:
    owned = Ownership.claim(no_labs / "cli-cluster", "a stand-in of a cluster")
    (owned.folder / "machines/vm101").mkdir(parents=True)
    listed, told = ask("list").stdout, json.loads(ask("list", "--json").stdout)[0]
    line = complaint(ask("exec", "runner01", "true"), 2)
    owned.release(keep=False)
    assert re.search(r"cli-cluster: a stand-in of a cluster, 0 of 1 machines on, \d+ s old, belongs to a run that lives\n", listed)
    assert "enter:" not in listed
    assert "remove: python -m provisioning down cli-cluster --force" in listed
    assert (told["what"], told["topology"], told["machines"], told["enter"]) == ("a stand-in of a cluster", None, {"vm101": "off"}, None)
    assert "no lab is up" in line


def test_a_folder_that_is_no_lab_is_not_taken_for_one(ask: Ask, no_labs: Path) -> None:
    (no_labs / "Notes of mine").mkdir(parents=True)
    assert ask("list", "--json").stdout == "[]\n"


def test_an_empty_host_says_how_to_make_a_lab(ask: Ask, no_labs: Path) -> None:
    assert ask("list").stdout == "no lab is up; make one: python -m provisioning up\n"
    assert ask("list", "--json").stdout == "[]\n"


@pytest.mark.parametrize(("ok", "exit_code"), [(True, 0), (False, 1)])
def test_doctor_tells_what_is_lacking_with_the_remedy(ask: Ask, monkeypatch: pytest.MonkeyPatch, ok: bool, exit_code: int) -> None:
    findings = [Finding("root", ok=True, found="user 0", remedy="sudo"), Finding("[mm]", ok=ok, found="looked at", remedy="apt-get it")]
    monkeypatch.setattr(hostcheck, "examine", lambda: findings)
    result = ask("doctor")
    assert result.exit_code == exit_code
    assert "[mm]" in result.stdout
    assert ("apt-get it" in result.stdout) is not ok
    assert "sudo" not in result.stdout
    assert ("is ready" if ok else "lacking") in result.stdout


def test_doctor_finds_this_host_ready(ask: Ask) -> None:
    result = ask("doctor")
    assert result.exit_code == 0, result.output
    assert "this host is ready for embedded labs" in result.stdout


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("up", "python -m provisioning up mylab --topology single --runners 2"),
        ("down", "python -m provisioning down --all"),
        ("list", "--json"),
        ("ssh", "python -m provisioning ssh fleet"),
        ("exec", "python -m provisioning exec runner01 systemctl status ssh"),
        ("logs", "python -m provisioning logs balancer01 --unit haproxy --follow"),
        ("console", "does not boot"),
        ("power", "python -m provisioning power runner01 off"),
        ("check", "python -m provisioning check labs/my-lab.toml"),
        ("apply", "python -m provisioning apply labs/my-lab.toml"),
        ("heal", "python -m provisioning heal 20261125-050249-ozgk"),
        ("doctor", "remedy"),
        ("sweep", "--dry-run"),
        ("setup", "make setup"),
    ],
)
def test_every_command_explains_itself(ask: Ask, monkeypatch: pytest.MonkeyPatch, command: str, shown: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = ask(command, "--help")
    assert result.exit_code == 0
    assert shown in " ".join(result.stdout.replace("│", " ").split())
    assert f" {command} " in ask("--help").stdout
