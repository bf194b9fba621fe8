"""What Go writes into a program is read back."""

from __future__ import annotations

from pathlib import Path

from provisioning.toolchain import MINIO, buildinfo

MAGIC = b"\xff Go buildinf:"
TEXT = (
    "path\tgithub.com/minio/minio\n"
    "mod\ttofu-ha-acceptance/toolchain/minio\t(devel)\t\n"
    "dep\tgithub.com/minio/minio\tv0.0.0-20260212201848-7aac2a2c5b7c\th1:abc=\n"
    "dep\tgithub.com/hashicorp/hcl/v2\tv2.20.1\n"
    "=>\tgithub.com/opentofu/hcl/v2\tv2.20.2-0.20251021132045-587d123c2828\th1:def=\n"
)


def varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low]) if not high else bytes([low | 0x80]) + varint(high)


def go_program(text: str, before: bytes = b"") -> bytes:
    framed = b"f" * 16 + text.encode() + b"f" * 16
    head = MAGIC + b"\x08\x02" + b"\0" * 16
    padding = b"\0" * (-len(before) % 16)
    return before + padding + head + varint(8) + b"go1.26.8" + varint(len(framed)) + framed + b"rest"


def test_versions_are_read_by_module_and_replacements_count(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(go_program(TEXT))
    found = buildinfo.modules(tmp_path / "program")
    assert found["github.com/minio/minio"] == "v0.0.0-20260212201848-7aac2a2c5b7c"
    assert found["github.com/hashicorp/hcl/v2"] == "v2.20.2-0.20251021132045-587d123c2828"


def test_the_magic_alone_misleads_nobody(tmp_path: Path) -> None:
    """A program that can read build information carries the magic as a constant."""
    (tmp_path / "program").write_bytes(go_program(TEXT, before=b"\x7fELF" + b"\0" * 12 + MAGIC + b"ab" + b"\0" * 40))
    assert "github.com/minio/minio" in buildinfo.modules(tmp_path / "program")


def test_other_files_say_nothing(tmp_path: Path) -> None:
    for content in (b"", b"#!/bin/sh\n", b"\0" * 1000, MAGIC + b"\x08\x02", MAGIC.ljust(40, b"\xff")):
        (tmp_path / "file").write_bytes(content)
        assert buildinfo.modules(tmp_path / "file") == {}


def test_minio_from_the_module_proxy_is_known_by_its_module(tmp_path: Path) -> None:
    (tmp_path / "minio").write_bytes(go_program(TEXT))
    said = "minio version DEVELOPMENT.GOGET (commit-id=DEVELOPMENT.GOGET)\n"
    assert MINIO.version_in(said, tmp_path / "minio") == "v0.0.0-20260212201848-7aac2a2c5b7c"
    assert MINIO.version_in(said, Path(__file__)) == "DEVELOPMENT.GOGET"
