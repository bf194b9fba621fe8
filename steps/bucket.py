"""Sentences about the bucket, as the administrator and as the operator with `mc` see it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from pytest_bdd import then, when

from model.errors import AbilityMissing, ToolMissing
from model.lab import Lab
from probes.answers import Answer
from probes.json_objects import read_lines
from probes.store import StoreProbe
from probes.workspace import fresh_value
from steps.migration import Migration

MC_SECONDS = 30
ENABLED = "Enabled"


@dataclass(frozen=True)
class BucketLook:
    """What was seen of the bucket."""

    exists: Answer[bool]
    versioning: Answer[str]


@when("the bucket of the states is looked at", target_fixture="bucket_look")
def look_at_bucket(store: StoreProbe) -> BucketLook:
    return BucketLook(store.bucket_exists(), store.versioning())


@then("it exists")
def check_exists(lab: Lab, bucket_look: BucketLook) -> None:
    assert bucket_look.exists.ok, f"expected {lab.store.endpoint} to answer; observed {bucket_look.exists.error}"
    assert bucket_look.exists.value, f"expected the bucket {lab.store.bucket} at {lab.store.endpoint}; observed that there is none"


@then("it keeps versions")
def check_versioning(lab: Lab, bucket_look: BucketLook) -> None:
    seen = bucket_look.versioning
    assert seen.value == ENABLED, (
        f"expected versioning {ENABLED} for {lab.store.bucket} at {lab.store.endpoint}; observed {seen.value or seen.error}"
    )


@dataclass(frozen=True)
class TwoVersions:
    """An object that was written twice."""

    key: str
    contents: tuple[bytes, bytes]
    versions: tuple[Answer[str], Answer[str]]


@when("an object is written twice to the bucket of the states", target_fixture="written")
def write_twice(store: StoreProbe, key: str) -> TwoVersions:
    name = f"{key}.twice"
    contents = (fresh_value().encode(), fresh_value().encode())
    return TwoVersions(name, contents, (store.put(name, contents[0]), store.put(name, contents[1])))


@then("a plain read gives the second content")
def check_newest(store: StoreProbe, written: TwoVersions) -> None:
    for answer in written.versions:
        assert answer.ok, f"expected {store.bucket} at {store.endpoint} to take an object; observed {answer.error}"
    seen = store.get(written.key)
    assert seen.value == written.contents[1], f"expected {written.contents[1]!r} from {store.bucket} at {store.endpoint}; observed {seen}"


@then("the version before still has the first content")
def check_version_before(store: StoreProbe, written: TwoVersions) -> None:
    version = written.versions[0].value
    assert version, f"expected {store.bucket} at {store.endpoint} to give the first version an id; observed none"
    seen = store.get(written.key, version)
    assert seen.value == written.contents[0], f"expected {written.contents[0]!r} as version {version} at {store.endpoint}; observed {seen}"


@dataclass(frozen=True)
class OperatorsLook:
    """What `mc` said, line by line of its JSON output."""

    buckets: list[dict[str, Any]]
    versioning: list[dict[str, Any]]
    states: list[dict[str, Any]]


@when("an operator looks at the store with mc", target_fixture="operators_look")
def look_with_mc(lab: Lab, migration: Migration) -> OperatorsLook:
    bucket = f"lab/{lab.store.bucket}"
    folder = migration.key.rpartition("/")[0]
    return OperatorsLook(_mc(lab, "ls", "lab/"), _mc(lab, "version", "info", bucket), _mc(lab, "ls", f"{bucket}/{folder}/"))


def _mc(lab: Lab, *words: str) -> list[dict[str, Any]]:
    """Run the operator's client on this host.

    Raises:
        AbilityMissing: The lab came without it.
        ToolMissing: It could not be run.
        Unreadable: It said something else.
    """
    if lab.mc is None:
        raise AbilityMissing("there is no mc on this host")
    with tempfile.TemporaryDirectory(prefix="tofu-ha-mc-") as folder:
        url = f"http://{lab.store.access_key}:{lab.store.secret_key}@{lab.store.endpoint}"
        environment = {**os.environ, "MC_CONFIG_DIR": folder, "MC_HOST_lab": url}
        argv = [str(lab.mc), "--json", *words]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False, timeout=MC_SECONDS, env=environment)
        except subprocess.TimeoutExpired:
            return [{"status": "error", "error": f"no answer within {MC_SECONDS} s"}]
        except OSError as error:
            raise ToolMissing(f"{lab.mc} could not be run: {error}") from error
    return read_lines(done.stdout, "answer of mc")


@then("mc lists the bucket of the states")
def check_listed(lab: Lab, operators_look: OperatorsLook) -> None:
    names = [entry.get("key", "").rstrip("/") for entry in operators_look.buckets]
    assert lab.store.bucket in names, f"expected mc to list {lab.store.bucket}; observed {operators_look.buckets}"


@then("mc says that the bucket keeps versions")
def check_mc_versioning(lab: Lab, operators_look: OperatorsLook) -> None:
    said = [str((entry.get("versioning") or {}).get("status")) for entry in operators_look.versioning]
    assert said == [ENABLED], (
        f"expected mc to say {ENABLED} of {lab.store.bucket} at {lab.store.endpoint}; observed {operators_look.versioning}"
    )


@then("mc finds the state under its key")
def check_mc_state(migration: Migration, operators_look: OperatorsLook) -> None:
    names = [entry.get("key") for entry in operators_look.states]
    wanted = migration.key.rpartition("/")[2]
    assert wanted in names, f"expected mc to find {wanted}; observed {operators_look.states}"
