"""Drives are formatted once per plan and program, whole or not at all."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from model.errors import LabUnavailable
from model.secrets import MASK, SECRETS
from model.topology import Role, Topology, topology
from provisioning.embedded import stores
from provisioning.embedded.stores import StoreDrives, _digest, formatted, fresh
from provisioning.roles.reference import BUCKET, Credentials


class Formatter:
    """Formats drives without a lab, and counts how often."""

    def __init__(self) -> None:
        """Nothing was formatted yet."""
        self.names: list[str] = []
        self.fails = False

    def __call__(self, plan: Topology, name: str, target: Path) -> StoreDrives:
        self.names.append(name)
        for machine in plan.of(Role.STORAGE):
            (target / machine.name).mkdir(parents=True)
            (target / machine.name / "format.json").write_text(name)
            if self.fails:
                msg = "the store did not become ready"
                raise LabUnavailable(msg)
        return StoreDrives(Credentials("admin", "formatted-root-key", runner_secret="formatted-runner-key"))  # noqa: S106 - of a test


@pytest.fixture
def build() -> Formatter:
    return Formatter()


@pytest.fixture
def minio(tmp_path: Path, labs: Path) -> Path:
    path = tmp_path / "minio"
    path.write_text("program")
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "tofu-ha-acceptance" / "stores"


def whole(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.is_dir())


def test_drives_are_formatted_once(build: Formatter, minio: Path, cache: Path) -> None:
    plan = topology("production")
    first, second = formatted(plan, minio, build), formatted(plan, minio, build)
    digest = _digest(plan, minio)
    assert build.names == [f"format-{digest}"]
    assert first == second
    assert set(first.drives) == {"storage01", "storage02", "storage03", "storage04"}
    assert all((folder / "format.json").is_file() for folder in first.drives.values())
    assert whole(cache) == [digest]


def test_keys_of_formatted_drives_are_kept_privately_and_masked(build: Formatter, minio: Path, cache: Path) -> None:
    made = formatted(topology("single"), minio, build)
    assert made.credentials == Credentials("admin", "formatted-root-key", runner_secret="formatted-runner-key")  # noqa: S106 - of a test
    (file,) = cache.glob("*/credentials.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRETS.mask("formatted-root-key formatted-runner-key") == f"{MASK} {MASK}"


def test_a_failure_leaves_nothing_and_is_made_good_later(build: Formatter, minio: Path, cache: Path) -> None:
    build.fails = True
    with pytest.raises(LabUnavailable):
        formatted(topology("single"), minio, build)
    assert whole(cache) == []
    build.fails = False
    assert formatted(topology("single"), minio, build).drives["storage01"].is_dir()


def test_what_a_killed_run_left_half_made_is_cleared(build: Formatter, minio: Path, cache: Path) -> None:
    plan = topology("single")
    digest = _digest(plan, minio)
    left, anothers = cache / f"{digest}.half-abc", cache / "0123456789abcdef.half-abc"
    for folder in (left, anothers):
        (folder / "drives").mkdir(parents=True)
    formatted(plan, minio, build)
    assert whole(cache) == sorted([digest, anothers.name]), "another plan may be formatted by somebody just now"


def test_the_digest_follows_what_the_drives_are_made_of(minio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = topology("single")
    known = {_digest(plan, minio)}

    def is_new() -> bool:
        digest = _digest(plan, minio)
        if digest in known:
            return False
        known.add(digest)
        return True

    assert not is_new()
    plan = topology("production")
    assert is_new()
    os.utime(minio, ns=(1, 1))
    assert is_new()
    minio.write_text("another program")
    assert is_new()
    monkeypatch.setattr(stores, "RECIPE", stores.RECIPE + 1)
    assert is_new()
    monkeypatch.setattr(stores, "BUCKET", "another-bucket")
    assert is_new()


def test_the_digest_does_not_follow_the_fleet(minio: Path, tmp_path: Path) -> None:
    assert _digest(topology("single", 2), minio) == _digest(topology("single", 100), minio)
    (tmp_path / "link").symlink_to(minio)
    assert _digest(topology("single"), tmp_path / "link") == _digest(topology("single"), minio)


def test_a_fresh_store_has_new_keys_and_no_drives() -> None:
    one, other = fresh(topology("single")), fresh(topology("single"))
    assert one.drives == {}
    assert one.credentials.root_password != other.credentials.root_password


def test_a_runner_may_use_one_bucket_and_no_more() -> None:
    resources = [resource for statement in stores.RUNNER_POLICY["Statement"] for resource in statement["Resource"]]  # type: ignore[index]
    assert resources == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    actions = {action for statement in stores.RUNNER_POLICY["Statement"] for action in statement["Action"]}  # type: ignore[index]
    assert actions == {"s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"}


def test_a_format_is_awaited_on_every_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(stores, "FORMAT_WITHIN", timedelta(milliseconds=50))
    one, other = tmp_path / "one", tmp_path / "other"
    one.touch()
    stores.await_format([one, other])
    (told,) = caplog.messages
    assert "not complete" in told
    assert str(other) in told
    assert str(one) not in told
    other.touch()
    caplog.clear()
    stores.await_format(iter([one, other]))
    assert not caplog.messages
