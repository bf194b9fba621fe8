"""Defects of the state store and of the machines that hold it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from minio.versioningconfig import SUSPENDED, VersioningConfig

from model.lab import Lab
from model.waiting import wait_until
from probes.store import LOCK_SUFFIX, StoreProbe
from tests.faulty_labs.defects.defect import Defect, Symptom, only

SERVES_WITHIN = timedelta(seconds=30)
STALE = "network/terraform.tfstate"
LOCK = {
    "ID": "0b7cd3d1-6a8e-4f0c-9a52-3f1f7d0f6a11",
    "Operation": "OperationTypeApply",
    "Who": "pipeline@runner02",
    "Version": "1.12.6",
    "Created": "2026-01-05T08:12:44Z",
    "Path": f"opentofu-state-storage/{STALE}",
}


def _serving(lab: Lab) -> StoreProbe:
    """The state store as its administrator sees it, once it answers."""
    probe = StoreProbe(lab.store)
    wait_until(probe.bucket_exists, lambda seen: seen.ok, what="the state store answers", within=SERVES_WITHIN)
    return probe


def remove_bucket(lab: Lab) -> None:
    """As somebody who cleaned up too much."""
    probe = _serving(lab)

    def remove() -> bool:
        there = probe.bucket_exists().value
        if there:
            probe.client.remove_bucket(bucket_name=lab.store.bucket)
        return there is False

    _lastingly(remove, "the bucket is gone")


def suspend_versioning(lab: Lab) -> None:
    """As somebody who wanted to save disk space."""
    probe = _serving(lab)

    def suspend() -> bool:
        suspended = probe.versioning().value == SUSPENDED
        if not suspended:
            probe.client.set_bucket_versioning(bucket_name=lab.store.bucket, config=VersioningConfig(SUSPENDED))
        return suspended

    _lastingly(suspend, "versioning is suspended")


def _lastingly(change: Callable[[], bool], what: str) -> None:
    """Repeat a change until it lasts: while MinIO starts, it brings back buckets that it knew before."""
    wait_until(change, bool, what=what, within=SERVES_WITHIN, every=timedelta(milliseconds=300), in_a_row=5)


def start_minio(name: str) -> Callable[[Lab], None]:
    """As somebody who started the service by hand and never enabled it."""
    return lambda lab: _must(lab, name, "systemctl start minio.service")


def _must(lab: Lab, name: str, command: str) -> None:
    done = lab.machines[name].run(command)
    if not done.ok:
        msg = f"`{command}` on {name} failed: {done.text}"
        raise RuntimeError(msg)


def pull_plug(name: str) -> Callable[[Lab], None]:
    """As a machine that died before anybody looked."""
    return lambda lab: lab.machines[name].cut_power()


def leave_lock(lab: Lab) -> None:
    """As an apply that was killed months ago."""
    probe = _serving(lab)
    _lastingly(lambda: probe.put(STALE + LOCK_SUFFIX, json.dumps(LOCK).encode()).ok, "the store keeps a lock")


DEFECTS = (
    Defect(
        "the bucket is missing",
        "single",
        symptoms=(
            Symptom(
                "V2", "The bucket is set up to keep versions", ("expected the bucket opentofu-state-storage", "10.1.0.101:9000", "none")
            ),
            Symptom("V2", "What was overwritten can be read back", ("expected opentofu-state-storage", "10.1.0.101:9000", "NoSuchBucket")),
            Symptom("V4", "Every other runner is refused", ("expected", "runner01", "NoSuchBucket")),
            Symptom("V5", "Each runner's change is seen by all others", ("expected", "runner01", "NoSuchBucket")),
            Symptom("S2", "An operator looks with mc", ("expected", "runner01", "NoSuchBucket")),
        ),
        healthy=("V1", "V6", "S1"),
        after_boot=remove_bucket,
    ),
    Defect(
        "versioning is suspended",
        "single",
        symptoms=(
            Symptom(
                "V2",
                "The bucket is set up to keep versions",
                ("expected versioning Enabled for opentofu-state-storage at 10.1.0.101:9000; observed Suspended",),
            ),
            Symptom("V2", "What was overwritten can be read back", ("expected", "opentofu-state-storage", "10.1.0.101:9000", "observed")),
            Symptom("S2", "An operator looks with mc", ("expected", "Enabled", "observed", "Suspended")),
        ),
        healthy=("V1", "V3", "V5"),
        after_boot=suspend_versioning,
    ),
    Defect(
        "MinIO does not start at boot on one node",
        "production",
        symptoms=(
            Symptom("V1", "Every storage machine serves", ("expected minio.service to be enabled at boot on storage03", "observed")),
            Symptom("S1", "The service is set up to come back", ("expected minio.service to be enabled at boot on storage03", "observed")),
        ),
        healthy=("V2", "S5", "T3"),
        alter=only("storage03", lambda applied: applied.without_unit("minio.service")),
        after_boot=start_minio("storage03"),
    ),
    Defect(
        "one storage node is dead from the start",
        "production",
        symptoms=(
            Symptom("V1", "Every storage machine serves", ("expected", "storage02", "observed", "off")),
            Symptom("S1", "The service is set up to come back", ("expected", "storage02", "observed", "off")),
        ),
        healthy=("V2", "V5", "V6"),
        after_boot=pull_plug("storage02"),
    ),
    Defect(
        "a stale lock lies about in the bucket",
        "production",
        symptoms=(
            Symptom(
                "H46",
                "Every lock has a holder that works",
                (f"expected the lock of {STALE}", "observed pipeline@runner02 since 2026-01-05", "no tofu runs there"),
            ),
        ),
        healthy=("V2", "T1"),
        after_boot=leave_lock,
    ),
)
