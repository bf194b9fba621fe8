"""Real stores that look like S3, and cannot lock: they would be taken for MinIO by anybody who only looks at buckets and objects."""

from __future__ import annotations

from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig

from model.lab import Lab
from model.topology import MachineSpec, Role
from provisioning.embedded.driver import Alteration
from provisioning.images import WITH_MOTO
from provisioning.roles import Applied, File
from provisioning.roles.reference import CREDENTIALS, READY_PORT, RELEASE
from provisioning.toolchain import VERSITYGW
from tests.faulty_labs.defects.changes import BEHIND, HAPROXY, MINIO_UNIT, front
from tests.faulty_labs.defects.deeds import both, must, serving
from tests.faulty_labs.defects.defect import Defect, Symptom

ONE, ADDRESS = "storage01", "10.1.0.11"
"""The machine that has the other store; on all others somebody leads there who is asked for it."""
UNIT = """[Unit]
Description=Another store than MinIO
Wants=network-online.target
After=network.target

[Service]
{lines}
Restart=always

[Install]
WantedBy=multi-user.target
"""
S3_PORT = "9000"

FOLDER = "/var/lib/versitygw"
KEEPS = f"{FOLDER}/buckets {FOLDER}/versions {FOLDER}/accounts"
GATEWAY = f"""EnvironmentFile=/etc/default/minio
ExecStartPre=/bin/mkdir -p {KEEPS}
ExecStart=/usr/local/bin/versitygw --access ${{MINIO_ROOT_USER}} --secret ${{MINIO_ROOT_PASSWORD}} --port {ADDRESS}:{S3_PORT} \\
    --health /minio/health/live --iam-dir {FOLDER}/accounts posix --versioning-dir {FOLDER}/versions {FOLDER}/buckets"""
ACCOUNT = f"""set -e
. /etc/default/minio
versitygw admin --access "$MINIO_ROOT_USER" --secret "$MINIO_ROOT_PASSWORD" --endpoint-url http://{ADDRESS}:{S3_PORT} \\
    create-user --access {{key}} --secret {{secret}} --role admin
"""

MOTO = f"""Environment=MOTO_S3_DEFAULT_KEY_BUFFER_SIZE=1
ExecStart=/usr/bin/python3 -m moto.server -H {ADDRESS} -p {BEHIND}"""
"""It keeps what is larger than a byte in files: between its look for an object and its write of one, others look too. Measured on a busy
host: 196 of 292 rounds had several winners, at least 3 of each race of 10 s; with everything in memory, as without this line, 4 of 147."""

HEALTHY = "http-request return status 200 if { path /minio/health/live }"
"""What balancers ask of MinIO; it does not know that."""


def in_place_of_minio(service: str, port: str, *lines: str) -> Alteration:
    """One store for all storage machines, on one of them; on the others, and where it has another port than MinIO, a front leads to it."""

    def alter(machine: MachineSpec, applied: Applied) -> Applied:
        if machine.role is Role.BALANCER:
            return applied.with_edit(HAPROXY, f"check port {READY_PORT} ", "check ")
        if machine.role is not Role.STORAGE:
            return applied
        without_locks = applied.without_unit(f"{RELEASE}.service")
        led = front(machine.address, f"{ADDRESS}:{port}", *lines)
        if machine.name != ONE:
            return without_locks.without_unit("minio.service").merged(led)
        other = without_locks.with_files(File(MINIO_UNIT, UNIT.format(lines=service)))
        return other if port == S3_PORT else other.merged(led)

    return alter


def make_bucket(lab: Lab) -> None:
    """As its administrator: the bucket, which keeps versions."""
    probe = serving(lab)
    probe.client.make_bucket(bucket_name=lab.store.bucket)
    probe.client.set_bucket_versioning(bucket_name=lab.store.bucket, config=VersioningConfig(ENABLED))


def make_account(lab: Lab) -> None:
    """The account of the runners, in a store that asks who somebody is."""
    said = dict(line.split(" = ") for line in lab.runners[0].run(f"cat {CREDENTIALS}").stdout.splitlines() if " = " in line)
    must(lab, ONE, ACCOUNT.format(key=said["aws_access_key_id"], secret=said["aws_secret_access_key"]))


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
        alter=in_place_of_minio(GATEWAY, S3_PORT),
        after_boot=both(make_bucket, make_account),
        selection="short or smoke",
        programs=(VERSITYGW,),
    ),
    Defect(
        "a store looks for a lock first and writes it then",
        "production",
        symptoms=(
            Symptom(
                "H01",
                "16 writers at once, for a key that was just deleted, each last byte held back (10)",
                ("expected one of 16 writers at 10.1.0.11:9000", "to win each of", "observed winners by round"),
            ),
            Symptom(
                "H32",
                "Without a key there is nothing to see and nothing to change",
                ("expected listing", "10.1.0.101:9000", "without a key to be refused; observed that it was allowed"),
            ),
        ),
        healthy=("V2", "S4", "S5"),
        alter=in_place_of_minio(MOTO, BEHIND, HEALTHY),
        after_boot=make_bucket,
        selection="short or smoke",
        image=WITH_MOTO,
    ),
)
