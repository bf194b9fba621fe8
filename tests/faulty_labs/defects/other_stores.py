"""Real stores that look like S3, and cannot lock: they would be taken for MinIO by anybody who only looks at buckets and objects."""

from __future__ import annotations

from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig

from model.lab import Lab
from model.topology import MachineSpec, Role
from model.waiting import wait_until
from probes.store import StoreProbe
from provisioning.roles import Applied, File
from provisioning.roles.reference import CREDENTIALS, RELEASE
from provisioning.toolchain import VERSITYGW
from tests.faulty_labs.defects.changes import MINIO_UNIT, front
from tests.faulty_labs.defects.deeds import SERVES_WITHIN, must
from tests.faulty_labs.defects.defect import Defect, Symptom

GATEWAY, GATEWAY_ADDRESS = "storage01", "10.1.0.11"
FOLDER = "/var/lib/versitygw"
KEEPS = f"{FOLDER}/buckets {FOLDER}/versions {FOLDER}/accounts"
UNIT = f"""[Unit]
Description=S3 gateway
Wants=network-online.target
After=network.target

[Service]
EnvironmentFile=/etc/default/minio
ExecStartPre=/bin/mkdir -p {KEEPS}
ExecStart=/usr/local/bin/versitygw --access ${{MINIO_ROOT_USER}} --secret ${{MINIO_ROOT_PASSWORD}} --port {GATEWAY_ADDRESS}:9000 \\
    --health /minio/health/live --iam-dir {FOLDER}/accounts posix --versioning-dir {FOLDER}/versions {FOLDER}/buckets
Restart=always

[Install]
WantedBy=multi-user.target
"""
ACCOUNT = f"""set -e
. /etc/default/minio
versitygw admin --access "$MINIO_ROOT_USER" --secret "$MINIO_ROOT_PASSWORD" --endpoint-url http://{GATEWAY_ADDRESS}:9000 \\
    create-user --access {{key}} --secret {{secret}} --role admin
"""


def gateway(machine: MachineSpec, applied: Applied) -> Applied:
    """One machine runs the gateway in MinIO's place, all others lead to it."""
    if machine.role is not Role.STORAGE:
        return applied
    without_locks = applied.without_unit(f"{RELEASE}.service")
    if machine.name == GATEWAY:
        return without_locks.with_files(File(MINIO_UNIT, UNIT))
    return without_locks.without_unit("minio.service").merged(front(machine.address, f"{GATEWAY_ADDRESS}:9000"))


def furnish(lab: Lab) -> None:
    """As its administrator: bucket, versions, and the account of the runners."""
    probe = StoreProbe(lab.store)
    wait_until(probe.bucket_exists, lambda seen: seen.ok, what="the gateway answers", within=SERVES_WITHIN)
    probe.client.make_bucket(bucket_name=lab.store.bucket)
    probe.client.set_bucket_versioning(bucket_name=lab.store.bucket, config=VersioningConfig(ENABLED))
    said = dict(line.split(" = ") for line in lab.runners[0].run(f"cat {CREDENTIALS}").stdout.splitlines() if " = " in line)
    must(lab, GATEWAY, ACCOUNT.format(key=said["aws_access_key_id"], secret=said["aws_secret_access_key"]))


DEFECTS = (
    Defect(
        "a gateway takes the delete marker of a lock for a lock",
        "production",
        symptoms=(
            Symptom(
                "H01",
                "The second write is refused, also after the first was deleted",
                ("expected a conditional write after the delete on storage01 to pass; observed", "412"),
            ),
            Symptom("V4", "The second runner is told who holds the lock", ("expected", "runner0", "observed")),
        ),
        healthy=("S4", "S5", "H32"),
        alter=gateway,
        after_boot=furnish,
        selection="short or smoke",
        programs=(VERSITYGW,),
    ),
)
