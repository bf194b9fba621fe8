"""Deeds of the state store's administrator, who means well or has forgotten something."""

from __future__ import annotations

import json

from minio import MinioAdmin
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import LifecycleConfig, NoncurrentVersionExpiration, Rule
from minio.versioningconfig import SUSPENDED, VersioningConfig

from model.lab import Lab
from probes.store import LOCK_SUFFIX
from tests.faulty_labs.defects.deeds import administer, lastingly, serving

STALE = "network/terraform.tfstate"
LOCK = {
    "ID": "0b7cd3d1-6a8e-4f0c-9a52-3f1f7d0f6a11",
    "Operation": "OperationTypeApply",
    "Who": "pipeline@runner02",
    "Version": "1.12.6",
    "Created": "2026-01-05T08:12:44Z",
    "Path": f"opentofu-state-storage/{STALE}",
}


def remove_bucket(lab: Lab) -> None:
    """As somebody who cleaned up too much."""
    probe = serving(lab)

    def remove() -> bool:
        there = probe.bucket_exists().value
        if there:
            probe.client.remove_bucket(bucket_name=lab.store.bucket)
        return there is False

    lastingly(remove, "the bucket is gone")


def suspend_versioning(lab: Lab) -> None:
    """As somebody who wanted to save disk space."""
    probe = serving(lab)

    def suspend() -> bool:
        suspended = probe.versioning().value == SUSPENDED
        if not suspended:
            probe.client.set_bucket_versioning(bucket_name=lab.store.bucket, config=VersioningConfig(SUSPENDED))
        return suspended

    lastingly(suspend, "versioning is suspended")


def leave_lock(lab: Lab) -> None:
    """As an apply that was killed months ago."""
    probe = serving(lab)
    lastingly(lambda: probe.put(STALE + LOCK_SUFFIX, json.dumps(LOCK).encode()).ok, "the store keeps a lock")


def make_bucket_anew(lab: Lab) -> None:
    """As somebody who left out a line of the guide's step 2."""
    probe = serving(lab)

    def make() -> bool:
        if probe.versioning().value == "Off":
            return True
        if probe.bucket_exists().value:
            probe.client.remove_bucket(bucket_name=lab.store.bucket)
        probe.client.make_bucket(bucket_name=lab.store.bucket)
        return False

    lastingly(make, "the bucket keeps no versions")


def let_everybody_in(lab: Lab) -> None:
    """As somebody who followed the guide, and later added proper keys."""

    def add(admin: MinioAdmin) -> None:
        admin.user_add("minioadmin", "minioadmin123")
        admin.policy_set("readwrite", user="minioadmin")

    administer(lab, add)


def tidy_up_daily(lab: Lab) -> None:
    """As somebody who wanted to save disk space."""
    rule = Rule(ENABLED, Filter(prefix=""), rule_id="tidy", noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=1))
    probe = serving(lab)

    def tidy() -> bool:
        there = bool(probe.expiring_rules().value)
        if not there:
            probe.client.set_bucket_lifecycle(bucket_name=lab.store.bucket, config=LifecycleConfig([rule]))
        return there

    lastingly(tidy, "old versions are removed")
