"""What stands beside a lab is enough to find the way in, and for its owner only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_public_identity

from model.errors import BadInput
from model.secrets import MASK, SECRETS
from model.topology import TOPOLOGIES, Role, topology
from provisioning.embedded.blueprint import Blueprint, new_credentials, register_secrets
from provisioning.roles.reference import Credentials


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    return tmp_path / "a"


def blueprint(folder: Path, name: str = "single", runners: int = 2) -> Blueprint:
    programs = {"minio": Path("/opt/minio"), "tofu": Path("/opt/tofu")}
    return Blueprint(folder, topology(name, runners), Path("/image"), programs, new_credentials(), created=12.5)


@pytest.mark.parametrize("runners", [2, 100])
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_it_is_read_as_it_was_written(folder: Path, name: str, runners: int) -> None:
    made = blueprint(folder, name, runners)
    made.save()
    assert Blueprint.load(folder) == made
    assert Blueprint.load(folder).authority.public_key == made.authority.public_key


def test_only_its_owner_reads_what_is_secret(folder: Path) -> None:
    made = blueprint(folder)
    made.save()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {name for name, mode in modes.items() if mode & 0o077} == {"known_hosts", "login.pub"}
    for name in ("known_hosts", "login.pub"):
        text = (folder / name).read_text()
        assert "PRIVATE" not in text
        assert made.credentials.root_password not in text


def test_a_secret_is_an_argument_never_an_option() -> None:
    made = [new_credentials() for _ in range(300)]
    assert all(each.root_password.isalnum() and each.runner_secret.isalnum() for each in made)
    assert len({secret for each in made for secret in (each.root_password, each.runner_secret)}) == 600


def test_known_hosts_covers_every_machine_and_the_endpoint(folder: Path) -> None:
    made = blueprint(folder, "production", 3)
    made.save()
    marker, patterns, *_ = made.known_hosts.read_text().split()
    assert marker == "@cert-authority"
    assert patterns.split(",") == [*(machine.address for machine in made.topology.machines), "[10.1.0.102]:9000"]


@pytest.mark.parametrize("content", [None, "", "{"])
def test_a_lab_that_is_not_there_is_bad_input(folder: Path, content: str | None) -> None:
    if content is not None:
        (folder / "lab.json").write_text(content)
    with pytest.raises(BadInput, match="no embedded lab of the name 'a'"):
        Blueprint.load(folder)


def test_a_machine_gets_another_host_key_each_time(folder: Path) -> None:
    made = blueprint(folder)
    made.save()
    runner = made.topology.machines[-1]
    key = "/etc/ssh/ssh_host_ed25519_key.pub"
    first, second = made.apply(runner), made.apply(runner)
    assert first.files[key].content != second.files[key].content
    login = (folder / "login.pub").read_text()
    assert first.files["/etc/ssh/authorized_keys/root"].content == login


def test_only_runners_may_answer_for_the_endpoint(folder: Path) -> None:
    made = blueprint(folder, "production")
    made.save()
    endpoint = made.topology.runner_endpoint.host
    for machine in made.topology.machines:
        certificate = made.apply(machine).files["/etc/ssh/ssh_host_ed25519_key-cert.pub"].content
        principals = {name.decode() for name in load_ssh_public_identity(certificate.encode()).valid_principals}  # type: ignore[union-attr]
        assert principals == {machine.name, machine.address} | ({endpoint} if machine.role is Role.RUNNER else set())


def test_new_keys_are_secrets_from_the_start() -> None:
    one, other = new_credentials(), new_credentials()
    assert len({one.root_password, one.runner_secret, other.root_password, other.runner_secret}) == 4
    assert SECRETS.mask(f"{one.root_password} {other.runner_secret}") == f"{MASK} {MASK}"
    assert one.root_password not in repr(one)
    assert one.runner_secret not in repr(one)


def test_keys_of_a_store_made_earlier_become_secrets() -> None:
    register_secrets(Credentials("admin", "made-earlier-root", "runner", "made-earlier-runner"))
    assert SECRETS.mask("made-earlier-root, made-earlier-runner") == f"{MASK}, {MASK}"
