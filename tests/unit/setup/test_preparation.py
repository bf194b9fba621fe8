"""What set-up makes where a host can have embedded labs, and where it can only have labs on a cluster."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from provisioning import hostcheck, images, toolchain
from provisioning.__main__ import app
from provisioning.hostcheck import Finding
from provisioning.images import Recipe
from provisioning.toolchain.programs import Program, Tool


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def ensure(program: Program, *_: object) -> Tool:
        names.append(program.name)
        return Tool(program, Path("/nowhere"), program.pinned, "built")

    def image(_: object, recipe: Recipe = images.RECIPE) -> Path:
        names.append(f"image {recipe.extra}".strip())
        return Path("/nowhere/image/root")

    monkeypatch.setattr(toolchain, "available", lambda _: None)
    monkeypatch.setattr(toolchain, "ensure", ensure)
    monkeypatch.setattr(toolchain.sources, "forget", lambda _: None)
    monkeypatch.setattr(toolchain.sources, "ahead", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(images, "ensure", image)
    return names


def able(monkeypatch: pytest.MonkeyPatch, *, root: bool) -> None:
    monkeypatch.setattr(hostcheck, "essentials", lambda: [Finding("root", root, "looked at", "run it as root")])


def test_what_not_everybody_needs_is_made_for_those_who_ask(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    able(monkeypatch, root=True)
    assert CliRunner().invoke(app, ["setup"]).exit_code == 0
    assert made == ["image", "minio", "tofu", "mc"]
    made.clear()
    assert CliRunner().invoke(app, ["setup", "--with", "proxmox"]).exit_code == 0
    assert made == ["image", "minio", "tofu", "mc", "terraform-provider-proxmox"]
    made.clear()
    assert CliRunner().invoke(app, ["setup", "--with", "other-stores", "--with", "proxmox"]).exit_code == 0
    assert made == ["image", "image other-stores", "minio", "tofu", "mc", "versitygw", "terraform-provider-proxmox"]


def test_a_host_without_root_can_have_labs_on_a_cluster(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    able(monkeypatch, root=False)
    assert CliRunner().invoke(app, ["setup"]).exit_code == 1
    assert made == []
    assert CliRunner().invoke(app, ["setup", "--with", "proxmox"]).exit_code == 0
    assert made == ["minio", "tofu", "mc", "terraform-provider-proxmox"]


def test_a_program_that_is_none_is_told_before_anything_is_made(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    able(monkeypatch, root=True)
    ended = CliRunner().invoke(app, ["setup", "--mc", "/nowhere/mc"])
    assert ended.exit_code != 0
    assert made == []
