"""A cluster of two nodes with a template, and the file of a lab on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.existing.reading import read_as
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.labfile import ProxmoxLabFile
from tests.unit.proxmox.pve import Pve, cluster_of

LAB = """
version = 1
driver = "proxmox"
name = "lab"
topology = "single"
runners = 3

[cluster]
endpoint = "https://pve.example.org:8006"
token_id = "suite@pve!lab"
token = { file = "token" }

[placement]
nodes = ["pve1", "pve2"]
template = 9000
template_node = "pve1"
datastore = "local-lvm"
"""


@pytest.fixture
def pve() -> Pve:
    made = Pve()
    made.add(9000, "debian-12", template=1, status="stopped")
    return made


@pytest.fixture
def cluster(pve: Pve, tmp_path: Path) -> Iterator[Cluster]:
    made = cluster_of(pve, tmp_path)
    yield made
    made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "lab.toml"
    written.write_text(LAB)
    return written


@pytest.fixture
def file(path: Path) -> ProxmoxLabFile:
    return read_as(ProxmoxLabFile, path)


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No address of a lab is asked, and nothing is kept outside of the test's folder."""
    monkeypatch.setattr("provisioning.proxmox.preflight._answers", lambda _address: "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
