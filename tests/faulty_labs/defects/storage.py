"""Defects of the state store and of the machines that hold it."""

from __future__ import annotations

from dataclasses import replace

from model.topology import Role
from provisioning.roles.reference import MINIO_DATA, RELEASE
from tests.faulty_labs.defects.changes import MINIO_UNIT, edited, every, not_at_boot, only
from tests.faulty_labs.defects.deeds import bucket_open_to, pulled_plug, ran, settled
from tests.faulty_labs.defects.defect import Defect, Symptom
from tests.faulty_labs.defects.store_deeds import (
    STALE,
    leave_lock,
    let_everybody_in,
    make_bucket_anew,
    remove_bucket,
    suspend_versioning,
    tidy_up_daily,
)

MINIO_SETTINGS = "/etc/default/minio"
FILL = (
    f"mountpoint -q {MINIO_DATA}",  # where the host cannot give it a drive of its own, this would fill the host
    f"fallocate -l $(($(df --output=avail -B1 {MINIO_DATA} | tail -n 1) * 99 / 100)) {MINIO_DATA}/core",
    f"dd if=/dev/zero of={MINIO_DATA}/core.2 bs=4k 2>/dev/null; df {MINIO_DATA} | grep -q ' 100% '",
)

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
        alter=only("storage03", not_at_boot("minio.service")),
        after_boot=ran("storage03", "systemctl start minio.service"),
    ),
    Defect(
        "locks inside the store outlive a machine that died",
        "production",
        symptoms=(
            Symptom(
                "B1",
                "MinIO is killed on a storage machine",
                ("expected that", "can be written, which storage", "was handing out when its MinIO was killed within 60 s; observed"),
            ),
        ),
        healthy=("H01", "H31", "H46"),
        selection="short",
        alter=every(Role.STORAGE, not_at_boot(f"{RELEASE}.service")),
    ),
    Defect(
        "one storage node is dead from the start",
        "production",
        symptoms=(
            Symptom("V1", "Every storage machine serves", ("expected", "storage02", "observed", "off")),
            Symptom("S1", "The service is set up to come back", ("expected", "storage02", "observed", "off")),
        ),
        healthy=("V2", "V5", "V6"),
        after_boot=pulled_plug("storage02"),
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
        healthy=("V2", "T1", "H45"),
        after_boot=leave_lock,
    ),
    Defect(
        "versioning was never enabled",
        "production",
        symptoms=(
            Symptom("V2", "The bucket is set up to keep versions", ("expected versioning Enabled for", "10.1.0.101:9000; observed Off")),
            Symptom("B5", "A destroyed state is brought back as it was", ("expected version", "10.1.0.101:9000", "observed")),
            Symptom("S2", "An operator looks with mc", ("expected mc to say Enabled", "10.1.0.101:9000", "observed")),
        ),
        healthy=("V5", "V3", "S1"),
        after_boot=make_bucket_anew,
        selection="short or smoke",
    ),
    Defect(
        "MinIO is not told to come back on one node",
        "production",
        symptoms=(
            Symptom("S1", "The service is set up to come back", ("expected Restart=always for minio.service on storage02; observed no",)),
        ),
        healthy=("V2", "S2", "H42"),
        after_boot=settled,
        alter=only("storage02", edited(MINIO_UNIT, "Restart=always", "Restart=no")),
        selection="short",
    ),
    Defect(
        "MinIO listens on loopback only",
        "single",
        symptoms=(
            Symptom("V1", "The endpoint answers a signed request", ("expected 10.1.0.101:9000 to answer", "observed", "refused")),
            Symptom("V1", "Every storage machine serves", ("expected storage01 (10.1.0.101:9000) to answer", "observed", "refused")),
        ),
        healthy=("V6", "S1", "S5"),
        alter=only("storage01", edited(MINIO_UNIT, "--address 10.1.0.101:9000", "--address 127.0.0.1:9000")),
        sampled=True,
    ),
    Defect(
        "the console is off",
        "production",
        symptoms=(Symptom("V1", "Every storage machine serves", ("expected the console's page on storage01; observed",)),),
        healthy=("V2", "S1", "S5"),
        after_boot=settled,
        alter=every(Role.STORAGE, edited(MINIO_SETTINGS, "MINIO_UPDATE=off", "MINIO_UPDATE=off\nMINIO_BROWSER=off")),
    ),
    Defect(
        "the drive of the store is full",
        "single",
        symptoms=(
            Symptom("V2", "What was overwritten can be read back", ("expected opentofu-state-storage at 10.1.0.101:9000", "observed")),
        ),
        healthy=("V6", "S5", "S4"),
        alter=only("storage01", lambda applied: replace(applied, drives=(MINIO_DATA,))),
        after_boot=ran("storage01", *FILL),
        selection="short or smoke",
    ),
    Defect(
        "the guide's credentials work",
        "production",
        symptoms=(
            Symptom(
                "H31",
                "Nobody gets in with what everybody can read",
                ("expected minioadmin with its well-known password at", "10.1.0.101:9000", "to be refused; observed that it was allowed"),
            ),
        ),
        healthy=("V2", "H32", "T1"),
        after_boot=let_everybody_in,
        selection="short",
    ),
    Defect(
        "everybody may read the bucket",
        "production",
        symptoms=(
            Symptom(
                "H32",
                "Without a key there is nothing to see and nothing to change",
                ("without a key", "10.1.0.101:9000", "to be refused; observed that it was allowed"),
            ),
        ),
        healthy=("V2", "H31", "T1"),
        after_boot=bucket_open_to("s3:ListBucket", "s3:GetObject"),
        selection="short",
    ),
    Defect(
        "old versions of states are removed after a day",
        "production",
        symptoms=(
            Symptom(
                "H45",
                "Old versions of a state are kept",
                ("expected no rule that removes versions of a state", "10.1.0.101:9000", "observed", "tidy", "after 1 days"),
            ),
        ),
        healthy=("V2", "B5", "T1"),
        after_boot=tidy_up_daily,
        selection="short",
    ),
    Defect(
        "the store keeps everything once",
        "production",
        symptoms=(
            Symptom(
                "B1",
                "MinIO is stopped on a storage machine",
                ("expected every apply to succeed while one storage machine is lost; observed", "runner0"),
            ),
        ),
        healthy=("V2", "T1", "S5"),
        alter=every(Role.STORAGE, edited(MINIO_SETTINGS, "MINIO_UPDATE=off", "MINIO_UPDATE=off\nMINIO_STORAGE_CLASS_STANDARD=EC:0")),
        after_boot=settled,
        selection="short or check(id='B1')",
        options=("-k", "minio_is_stopped or not no_single_point"),
    ),
)
