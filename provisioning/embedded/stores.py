"""The state store's drives: formatted once for a topology, with bucket and users, and copied into every lab after that.

What the guide's step 2 does by hand (`mc mb`, `mc version enable`) is done here by the same client, against a store that
really runs; the drives are kept after a clean stop. `fresh` leaves all of that to the moment after a lab has booted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from model.errors import LabUnavailable
from model.lab import Store
from model.topology import Role, Topology
from model.waiting import wait_until
from provisioning import places
from provisioning.embedded.blueprint import credentials_for, register_secrets
from provisioning.identities import write_private
from provisioning.roles.reference import BUCKET, Credentials

RECIPE = 1
"""Raise it when `set_up` changes, so that drives are formatted anew."""

FORMAT = ".minio.sys/format.json"
"""On a drive. Without it MinIO writes the format anew, and what is stored stays where it is: objects lie by the position of a drive
in the command line.

A node that finds two formatted drives begins with them, and looks for those of its peers again only 15 s later (MinIO
`cmd/erasure-sets.go`, `monitorAndConnectEndpoints`). Where no drive has a format, the first node waits until all are connected, and
every other one waits for the first (`cmd/prepare-storage.go`, `waitForFormatErasure`): so they begin together, and whole. That is no
way for a store of which a node may never come: there, nobody would begin.
"""

FORMAT_WITHIN = timedelta(seconds=20)
"""On a calm host it takes 2 to 3 s."""

log = logging.getLogger(__name__)

BUILD_SECONDS = 180
READY_SECONDS = 60

RUNNER_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": [f"arn:aws:s3:::{BUCKET}"]},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": [f"arn:aws:s3:::{BUCKET}/*"]},
    ],
}
"""What a runner needs and no more: state and lock objects of one bucket."""


@dataclass(frozen=True)
class StoreDrives:
    """Drives to start a state store with.

    Attributes:
        credentials: Keys that the store knows, or will be given.
        drives: Folder per storage machine; empty when the store starts from nothing.
    """

    credentials: Credentials
    drives: dict[str, Path] = field(default_factory=dict)


def fresh(topology: Topology) -> StoreDrives:
    """Start from nothing, with keys for a new store."""
    return StoreDrives(credentials_for(topology))


def formatted(topology: Topology, minio: Path, build: Callable[[Topology, str, Path], StoreDrives]) -> StoreDrives:
    """Drives for a topology, formatted now if they never were.

    Args:
        topology: The plan; only its storage machines matter.
        minio: The program that formats and later serves them.
        build: Formats the drives of a topology in a lab of the given name, into a folder.
    """
    digest = _digest(topology, minio)
    target = places.cache() / "stores" / digest
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        if not target.exists():
            _clear_half_made(target)
            half = Path(tempfile.mkdtemp(prefix=f"{digest}.half-", dir=target.parent))
            try:
                made = build(topology, f"format-{digest}", half / "drives")
                write_private(half / "credentials.json", json.dumps(asdict(made.credentials)))
                half.rename(target)
            finally:
                shutil.rmtree(half, ignore_errors=True)
    credentials = Credentials(**json.loads((target / "credentials.json").read_text()))
    register_secrets(credentials)
    return StoreDrives(credentials, {machine.name: target / "drives" / machine.name for machine in topology.of(Role.STORAGE)})


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep others from formatting the same drives meanwhile."""
    try:
        with FileLock(target.with_suffix(".lock"), timeout=BUILD_SECONDS):
            yield
    except Timeout as error:
        msg = f"another run has been formatting drives for over {BUILD_SECONDS} s ({target}.lock); try again when it is done"
        raise LabUnavailable(msg) from error


def _clear_half_made(target: Path) -> None:
    for left in target.parent.glob(f"{target.name}.half-*"):
        shutil.rmtree(left, ignore_errors=True)


def _digest(topology: Topology, minio: Path) -> str:
    program = minio.resolve().stat()
    nodes = [(machine.name, machine.address) for machine in topology.of(Role.STORAGE)]
    users = "the administrator alone" if topology.guide else RUNNER_POLICY
    ingredients = [RECIPE, nodes, BUCKET, users, str(minio.resolve()), program.st_size, program.st_mtime_ns]
    return hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:16]


def set_up(network: str | None, store: Store, credentials: Credentials, mc: Path, node: str | None = None) -> None:
    """Make the bucket with versioning, and the runners' user if they have one of their own, with the operator's client.

    Args:
        network: The lab's network namespace; None where the calling thread is in it, or where there is none.
        store: The state store.
        credentials: Keys to use and to set up.
        mc: The operator's client.
        node: Address of a storage machine, where the endpoint has no balancer yet.

    Raises:
        LabUnavailable: The store did not become ready, or refused.
    """
    host = node or store.endpoint.host
    with tempfile.TemporaryDirectory(prefix="tofu-ha-mc-") as folder:
        policy = Path(folder) / "policy.json"
        policy.write_text(json.dumps(RUNNER_POLICY))
        url = f"http://{credentials.root_user}:{credentials.root_password}@{host}:{store.endpoint.port}"
        client = _Client(network, mc, {"MC_CONFIG_DIR": folder, "MC_HOST_lab": url})
        client.call("ready", "lab")
        client.call("mb", "--ignore-existing", f"lab/{store.bucket}")
        client.call("version", "enable", f"lab/{store.bucket}")
        if credentials.runner_key == credentials.root_user:
            return
        client.call("admin", "user", "add", "lab", credentials.runner_key, credentials.runner_secret)
        client.call("admin", "policy", "create", "lab", "state-of-runners", str(policy))
        client.call("admin", "policy", "attach", "lab", "state-of-runners", "--user", credentials.runner_key)


def await_format(files: Iterable[Path]) -> None:
    """Wait until drives that began without a format have one: from now on the store can do without one of its machines.

    Args:
        files: Where the format of each drive will be, on the host.
    """
    awaited = tuple(files)
    try:
        wait_until(
            lambda: [file for file in awaited if not file.exists()],
            lambda missing: not missing,
            what="all drives of the state store have a format",
            within=FORMAT_WITHIN,
            every=timedelta(milliseconds=20),
            error=LabUnavailable,
        )
    except LabUnavailable as error:
        log.warning("the state store is not complete yet: %s", error)  # whether it serves is judged by scenarios


@dataclass(frozen=True)
class _Client:
    network: str | None
    mc: Path
    environment: dict[str, str]

    def call(self, *words: str) -> None:
        enter = [] if self.network is None else ["nsenter", f"--net=/run/netns/{self.network}"]
        argv = [*enter, str(self.mc), "--quiet", "--no-color", *words]
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, check=False, timeout=READY_SECONDS, env={**os.environ, **self.environment}
            )
        except subprocess.TimeoutExpired as error:
            msg = f"the state store did not answer `mc {words[0]}` within {READY_SECONDS} s"
            raise LabUnavailable(msg) from error
        if done.returncode != 0:
            msg = f"`mc {' '.join(words[:3])}` failed: {(done.stderr or done.stdout).strip()}"
            raise LabUnavailable(msg)
