"""Versions are read as the programs say them, and judged by what they can keep."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from provisioning.toolchain import EXTRAS, MC, MINIO, PROGRAMS, PROVIDER, TOFU
from provisioning.toolchain.programs import Program

NOWHERE = Path("/dev/null")
MINIO_SAYS = "minio version {} (commit-id=0a1b)\nRuntime: go1.26.8 linux/amd64\nLicense: GNU AGPLv3\n"


@pytest.mark.parametrize(
    ("program", "said", "version"),
    [
        (MINIO, MINIO_SAYS.format("RELEASE.2025-09-07T16-13-09Z"), "RELEASE.2025-09-07T16-13-09Z"),
        (MINIO, "silo version RELEASE.2026-09-16T00-00-00Z (commit-id=0a1b)\n", "RELEASE.2026-09-16T00-00-00Z"),
        (MC, "mc version RELEASE.2025-03-12T17-29-24Z (commit-id=0a1b)\n", "RELEASE.2025-03-12T17-29-24Z"),
        (TOFU, "OpenTofu v1.12.6\non linux_amd64\n", "1.12.6"),
        (TOFU, "\nWarning: Unable to open CLI configuration file\n\nOpenTofu v1.10.0-rc1\n", "1.10.0-rc1"),
    ],
)
def test_the_version_is_found_in_what_the_program_says(program: Program, said: str, version: str) -> None:
    assert program.version_in(said, NOWHERE) == version


@pytest.mark.parametrize(
    ("program", "said"), [(MC, "GNU Midnight Commander 4.8.29\n"), (TOFU, "Terraform v1.9.0\non linux_amd64\n"), (MINIO, "")]
)
def test_another_program_of_the_same_name_is_told_apart(program: Program, said: str) -> None:
    assert program.version_in(said, NOWHERE) is None


@pytest.mark.parametrize("version", ["1.10.2", "1.11.3", "1.12.6", "2.0.0", "1.12.0-beta1"])
def test_opentofu_that_locks_soundly_fits(version: str) -> None:
    assert TOFU.unfit(version) is None


@pytest.mark.parametrize(
    ("version", "why"), [("1.9.1", "since 1.10.2"), ("1.10.1", "since 1.10.2"), ("1.11.0", "interrupted"), ("1.11.2", "interrupted")]
)
def test_opentofu_that_does_not_is_refused_with_the_reason(version: str, why: str) -> None:
    assert why in (TOFU.unfit(version) or "")


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("RELEASE.2024-05-07T06-41-25Z", True),
        ("RELEASE.2024-05-01T01-11-10Z", False),
        ("v0.0.0-20260212201848-7aac2a2c5b7c", True),
        ("v0.0.0-20240430201848-7aac2a2c5b7c", False),
        ("DEVELOPMENT.GOGET", True),
        ("DEVELOPMENT.2023-01-01T00-00-00Z", False),
    ],
)
def test_minio_fits_from_the_first_release_that_can_lock(version: str, *, fits: bool) -> None:
    assert (MINIO.unfit(version) is None) is fits


@pytest.mark.parametrize("program", [*PROGRAMS, *EXTRAS.values()])
def test_what_is_pinned_fits(program: Program) -> None:
    assert program.unfit(f"v{program.pinned}" if program is not TOFU else program.pinned) is None
    assert program.go >= "1.2"


def test_a_provider_of_another_version_is_refused() -> None:
    assert f"written for {PROVIDER.pinned}" in (PROVIDER.unfit("v0.110.0") or "")


def test_a_provider_is_not_asked_but_read() -> None:
    assert PROVIDER.version_in("anything", NOWHERE) is None


def test_the_digest_follows_everything_that_a_build_depends_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("provisioning.toolchain.programs.HERE", tmp_path)
    (tmp_path / "tofu").mkdir()
    (tmp_path / "tofu" / "go.mod").write_text("module x\n")
    (tmp_path / "tofu" / "go.sum").write_text("")
    seen = {TOFU.digest, dataclasses.replace(TOFU, ldflags="-s").digest, dataclasses.replace(TOFU, package="other").digest}
    (tmp_path / "tofu" / "go.sum").write_text("other sums\n")
    seen.add(TOFU.digest)
    (tmp_path / "tofu" / "go.mod").write_text("module y\n")
    seen.add(TOFU.digest)
    assert len(seen) == 5
