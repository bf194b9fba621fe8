"""Path given, then PATH, then cache; and clear words where nothing fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model.errors import BadInput, ToolMissing, ToolTooOld
from provisioning.proxmox import tools
from provisioning.toolchain import MC, MINIO, PROVIDER, TOFU, find, lookup

Fake = Callable[[Path, str], Path]


def test_the_given_path_wins(cache: Path, on_path: Path, fake: Fake, tmp_path: Path) -> None:
    given = fake(tmp_path / "mine" / "anything", "echo OpenTofu v1.12.0")
    fake(on_path / "tofu", "echo OpenTofu v1.12.1")
    fake(lookup.cached(TOFU), "echo OpenTofu v1.12.6")
    tool = find(TOFU, given)
    assert (tool.path, tool.version, tool.origin) == (given, "1.12.0", "given")
    assert cache.exists()


def test_path_comes_before_the_cache(on_path: Path, fake: Fake) -> None:
    fake(on_path / "tofu", "echo OpenTofu v1.12.1")
    fake(lookup.cached(TOFU), "echo OpenTofu v1.12.6")
    assert (find(TOFU).version, find(TOFU).origin) == ("1.12.1", "PATH")


@pytest.mark.parametrize("unusable", ["echo OpenTofu v1.9.0", "echo Terraform v1.12.0", "exit 3"])
def test_what_does_not_fit_on_path_is_passed_over(on_path: Path, fake: Fake, unusable: str) -> None:
    fake(on_path / "tofu", unusable)
    fake(lookup.cached(TOFU), "echo OpenTofu v1.12.6")
    assert (find(TOFU).version, find(TOFU).origin) == ("1.12.6", "cache")


def test_a_script_on_path_is_not_the_program_itself(on_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shim = fake(on_path / "tofu", "echo OpenTofu v1.12.6")
    assert lookup.identify(TOFU, shim, "PATH") is None


def test_midnight_commander_is_not_the_operators_client(on_path: Path, fake: Fake) -> None:
    fake(on_path / "mc", "echo GNU Midnight Commander 4.8.29")
    with pytest.raises(ToolMissing, match="make setup"):
        find(MC)


@pytest.mark.usefixtures("cache", "on_path")
def test_the_command_that_makes_the_provider_is_another_one() -> None:
    with pytest.raises(ToolMissing, match=r"OpenTofu provider for Proxmox VE is not there .*python -m provisioning setup --with proxmox"):
        find(PROVIDER)


@pytest.mark.usefixtures("cache", "on_path")
def test_a_lab_on_a_cluster_says_which_program_is_missing() -> None:
    with pytest.raises(ToolMissing, match=r"OpenTofu is not there .*make setup"):
        tools.find()


@pytest.mark.usefixtures("cache")
def test_a_given_program_that_is_too_old_is_refused(fake: Fake, tmp_path: Path) -> None:
    old = fake(tmp_path / "tofu", "echo OpenTofu v1.11.1")
    with pytest.raises(ToolTooOld, match=r"1\.11\.1 cannot be used: .*interrupted"):
        find(TOFU, old)
    old = fake(tmp_path / "minio", "echo minio version RELEASE.2023-01-01T00-00-00Z")
    with pytest.raises(ToolTooOld, match=r"RELEASE\.2023-01-01T00-00-00Z cannot be used: it is older than 2024-05-07"):
        find(MINIO, old)


@pytest.mark.usefixtures("cache")
def test_a_compatible_successor_of_minio_is_taken(fake: Fake, tmp_path: Path) -> None:
    silo = fake(tmp_path / "silo", "echo 'silo version RELEASE.2026-09-16T00-00-00Z (commit-id=1)'")
    assert find(MINIO, silo).version == "RELEASE.2026-09-16T00-00-00Z"


@pytest.mark.usefixtures("cache")
def test_a_given_path_that_is_no_such_program_is_bad_input(fake: Fake, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such program"):
        find(TOFU, tmp_path / "nothing")
    with pytest.raises(BadInput, match="does not answer"):
        find(TOFU, fake(tmp_path / "other", "echo hello"))


@pytest.mark.usefixtures("cache")
def test_settings_of_the_user_do_not_reach_the_question(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_ARGS", "-json")
    given = fake(tmp_path / "tofu", 'test -z "$TF_CLI_ARGS" && echo OpenTofu v1.12.6')
    assert find(TOFU, given).version == "1.12.6"


@pytest.mark.usefixtures("cache")
def test_where_nothing_is_the_error_names_the_one_command() -> None:
    with pytest.raises(ToolMissing, match=r"OpenTofu is not there .* run `make setup` once"):
        find(TOFU)
