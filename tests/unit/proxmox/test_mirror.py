"""The mirror has the one provider at the address where OpenTofu looks for it. OpenTofu is a script here."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import ToolMissing
from provisioning.proxmox.mirror import make_mirror
from provisioning.toolchain import PROVIDER, Tool


def script(folder: Path, text: str) -> Path:
    path = folder / "tofu"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_provider_lies_where_it_is_looked_for(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_text("a provider")
    tofu = script(tmp_path, "echo '├── provider[example.org/bpg/proxmox]'")
    configuration = make_mirror(tmp_path / "lab", tofu, Tool(PROVIDER, binary, PROVIDER.pinned, "cache"))
    version = PROVIDER.pinned
    found = [path for path in (tmp_path / "lab/mirror").rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path / "lab/mirror").as_posix() for path in found] == [
        f"example.org/bpg/proxmox/{version}/{found[0].parent.name}/terraform-provider-proxmox_v{version}"
    ]
    assert found[0].read_text() == "a provider"
    assert f'path = "{tmp_path / "lab/mirror"}"' in configuration.read_text()


def test_an_opentofu_that_does_not_say_where_it_looks(tmp_path: Path) -> None:
    tofu = script(tmp_path, "echo broken >&2; exit 1")
    with pytest.raises(ToolMissing, match="does not say where it looks for the provider bpg/proxmox: broken"):
        make_mirror(tmp_path / "lab", tofu, Tool(PROVIDER, tmp_path, PROVIDER.pinned, "cache"))
