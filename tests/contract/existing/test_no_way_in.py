"""Who is not let in to a lab is told why and what to do; the remedy works, and no key is accepted before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from model.lab import Lab
from provisioning.embedded.names import LabNames
from provisioning.existing.writing import write_lab_file
from tests.contract.existing.looking import looked

ACCOUNT = """
set -e
useradd --create-home --shell /bin/bash --password '*' guest
cp /etc/ssh/authorized_keys/root /etc/ssh/authorized_keys/guest
"""
NO_ACCOUNT = "userdel --remove guest; rm -f /etc/ssh/authorized_keys/guest /etc/sudoers.d/guest"
GRANTED = "echo 'guest ALL=(ALL) ALL' > /etc/sudoers.d/guest"

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def keys(owned: Lab) -> str:
    """The host key of each machine, as whoever asks for it is told."""
    return inside(owned, "ssh-keyscan -t ed25519 " + " ".join(machine.address for machine in owned.machines.values()))


@pytest.fixture
def file(owned: Lab, keys: str, tmp_path: Path) -> Path:
    """The lab's file; who may answer to control is recorded in `known_hosts` beside it, and vouched for by no CA."""
    path = tmp_path / "lab.toml"
    write_lab_file(owned, path)
    (tmp_path / "known_hosts").write_text(keys, encoding="utf-8")
    lines = path.read_text(encoding="utf-8").splitlines()
    published = next(line.split('"')[1] for line in lines if line.startswith("known_hosts"))
    lines = ['known_hosts = "known_hosts"' if line.startswith("known_hosts") else line for line in lines]
    lines = [f'known_hosts = "{published}"' if line.startswith("host_ca") else line for line in lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def inside(lab: Lab, command: str) -> str:
    """Run a command where the lab's addresses are known."""
    argv = ["ip", "netns", "exec", LabNames(lab.name).network, "sh", "-c", command]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def do(lab: Lab, remedy: str) -> None:
    """What a remedy says in its brackets and after its last colon."""
    before = [remedy.split("(", 1)[1].split(")", 1)[0]] if "(" in remedy else []
    for command in [*before, remedy.rsplit(": ", 1)[1]]:
        inside(lab, command)


def stranger(folder: Path) -> Path:
    """A key that nobody knows."""
    key = folder / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


def test_all_are_let_in(file: Path) -> None:
    assert looked(file)[0] == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [(False, "its host key is not recorded"), (True, "it has a host key that is not the recorded one")],
    ids=["unknown", "changed"],
)
def test_a_host_key_is_never_accepted_silently(file: Path, owned: Lab, changed: bool, words: str) -> None:
    known, address = file.with_name("known_hosts"), owned.machines["runner01"].address
    others = [line for line in known.read_text(encoding="utf-8").splitlines() if address not in line.split()[0].split(",")]
    public = stranger(file.parent).with_suffix(".pub").read_text(encoding="utf-8")
    known.write_text("\n".join([*others, f"{address} {public}" if changed else ""]) + "\n", encoding="utf-8")
    before = known.read_bytes()
    found, _ = looked(file)
    assert set(found) == {"runner01: control", f"runner01: login of {owned.fleet.user}"}
    assert words in found["runner01: control"]["found"]
    assert address in found["runner01: control"]["found"]
    assert known.read_bytes() == before
    do(owned, found["runner01: control"]["remedy"])
    assert looked(file)[0] == {}
    assert public.split()[1] not in known.read_text(encoding="utf-8")


@pytest.mark.parametrize("what", ["key", "user"])
def test_who_is_not_accepted_is_told(file: Path, what: str) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    key = next(line for line in lines if line.startswith("private_key"))
    wrong = ('user = "root"', 'user = "nobody-here"') if what == "user" else (key, f'private_key = "{stranger(file.parent)}"')
    file.write_text(file.read_text(encoding="utf-8").replace(*wrong, 1), encoding="utf-8")
    found, _ = looked(file)
    assert {"storage01: control", "runner01: control"} <= set(found)
    assert "the key or the user is not accepted" in found["runner01: control"]["found"]
    assert found["runner01: control"]["remedy"] == "put user, key and port of [ssh] right"


def test_sudo_that_wants_a_password_is_told_and_only_what_needs_root_is_not_run(file: Path, owned: Lab) -> None:
    machine = owned.machines["runner01"]
    try:
        assert machine.run(f"{ACCOUNT}{GRANTED}").ok
        entry = 'name = "runner01"\n'
        file.write_text(file.read_text(encoding="utf-8").replace(entry, f'{entry}user = "guest"\n'), encoding="utf-8")
        found, not_run = looked(file)
    finally:
        machine.run(NO_ACCOUNT)
    assert set(found) == {"runner01: root"}
    assert (
        "sudo wants a password of guest on runner01; allow it without: `guest ALL=(ALL) NOPASSWD: ALL`" in found["runner01: root"]["found"]
    )
    assert not_run
    assert all(reason.startswith("nobody can ") and reason.endswith(": runner01") for reason in not_run.values()), set(not_run.values())
