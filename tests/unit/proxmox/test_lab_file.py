"""The file of a lab on Proxmox VE is read, or refused with the line, the key and the remedy; an owner may name VMs in his own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import BadInput
from model.lab import Ability
from provisioning import drivers
from provisioning.existing.reading import driver_named_in, read_as, read_lab_file
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.machine import VmMachine

LABS = Path(__file__).parents[3] / "labs"
TEXT = (LABS / "proxmox.toml").read_text(encoding="utf-8")
OWN = (LABS / "example.toml").read_text(encoding="utf-8")
CLUSTER = """
[proxmox]
endpoint = "https://pve1.example.org:8006"
token_id = "suite@pve!lab"
token = { env = "PROXMOX_TOKEN" }
"""


def test_the_example_is_a_lab() -> None:
    file = read_as(ProxmoxLabFile, LABS / "proxmox.toml")
    assert driver_named_in(LABS / "proxmox.toml") == "proxmox"
    assert driver_named_in(LABS / "example.toml") == ""
    assert file.plan().name == file.topology == "production"
    assert file.variables("run", "2026-11-25T18:00:00Z", "ssh-ed25519 AAAA")["platform"]["template_id"] == file.placement.template


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("datastore = ", "datastor = ", "unknown key datastor; did you mean datastore?"),
        ('token = { env = "PROXMOX_TOKEN" }', 'token = "5c0f-very-secret"', "a secret must not stand in the file"),
        ('token_id = "acceptance@pve!suite"', 'token_id = "acceptance"', "token_id"),
        ('endpoint = "https://pve1.example.org:8006"', 'endpoint = "http://pve1.example.org"', "is no endpoint of a cluster"),
        ('subnet = "10.1.0.0/24"', 'subnet = "10.1.0.0/25"', "prefix length 24"),
        ('subnet = "10.1.0.0/24"', 'subnet = "10.1.0.7/24"', "is no network"),
        ("runners = 3", "runners = 1", "greater than or equal to 2"),
        ('name = "pve-lab"', 'name = "PVE lab"', "name"),
        ('ca_file = "pve-root-ca.pem"', 'fingerprint = "AB:CD"', "a fingerprint is SHA-256"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert TEXT.count(old) == 1, old
    path = tmp_path / "lab.toml"
    path.write_text(TEXT.replace(old, new))
    line = next(
        number for number, text in enumerate(path.read_text().splitlines(), 1) if new.split(" = ", maxsplit=1)[0] in text and new in text
    )
    with pytest.raises(BadInput) as caught:
        read_as(ProxmoxLabFile, path)
    assert f"{path}:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_a_fingerprint_and_a_ca_are_two_answers(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(TEXT.replace('ca_file = "pve-root-ca.pem"', f'ca_file = "pve-root-ca.pem"\nfingerprint = "{"AB:" * 31}AB"'))
    with pytest.raises(BadInput, match="not both"):
        read_as(ProxmoxLabFile, path)


def test_an_owner_may_name_the_vms_of_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_ACCESS_KEY", "access-key")
    path = tmp_path / "lab.toml"
    text = OWN.replace('command = "pass show lab/minio"', 'command = "echo secret-key"') + CLUSTER
    path.write_text(text.replace('name = "runner01"\n', 'name = "runner01"\nvm = 120\n'))
    driver = drivers.existing(path)
    lab = driver.connect(driver.file.plan())
    try:
        runner, other = lab.machines["runner01"], lab.machines["balancer01"]
        assert isinstance(runner, VmMachine)
        assert {Ability.SUSPEND, Ability.DISCONNECT, Ability.INSPECT} <= runner.abilities
        assert not {Ability.SUSPEND, Ability.DISCONNECT, Ability.REBUILD} & other.abilities
        assert Ability.REBUILD not in runner.abilities, "nobody makes an owner's machine anew"
    finally:
        driver.remove(lab)


def test_a_vm_without_a_cluster_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(OWN.replace('name = "runner01"\n', 'name = "runner01"\nvm = 120\n'))
    with pytest.raises(BadInput, match=r"runner01 has the id of a VM, but there is no table \[proxmox\]"):
        read_lab_file(path)
