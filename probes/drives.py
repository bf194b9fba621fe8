"""Looks at a storage node's drive over the control channel: where MinIO keeps it, and which versions lie on it.

MinIO keeps all versions of an object in one file per drive, `<drive>/<bucket>/<key>/xl.meta`, in which the 16 bytes of each
version's UUID occur (`cmd/xl-storage-format-v2.go`, `xlMetaV2VersionHeader`).
"""

from __future__ import annotations

import base64
import shlex
import uuid
from urllib.parse import urlsplit

from model.errors import Unreadable
from model.lab import Machine

MINIO = "minio.service"


def drive_of(machine: Machine) -> str:
    """The folder in which a storage node keeps its part of the store; empty when MinIO does not run there.

    Args:
        machine: A storage node with one drive, which stands last on MinIO's command line (as a path or a URL).

    Raises:
        ControlChannelLost: The machine could not be asked.
        Unreadable: What stands last is neither.
    """
    asked = machine.run(f"tr '\\0' '\\n' < /proc/$(systemctl show --property=MainPID --value {MINIO})/cmdline | tail -1")
    try:
        path = urlsplit(asked.stdout.strip()).path if asked.ok else ""
    except ValueError as error:
        raise Unreadable(f"the drive of {machine.name} cannot be told: {error}: {asked.stdout!r}") from error
    if path and not path.startswith("/"):
        raise Unreadable(f"the drive of {machine.name} cannot be told: {asked.stdout!r} stands last on MinIO's command line")
    return path


def has_version(machine: Machine, bucket: str, key: str, version_id: str) -> bool:
    """Whether a node's own drive holds a version of an object, whatever its peers have.

    Args:
        machine: A storage node with one drive.
        bucket: Where the object is.
        key: Of the object.
        version_id: As S3 names it, a UUID.

    Raises:
        ControlChannelLost: The machine could not be asked.
        Unreadable: It is no version of MinIO, or what the machine printed is no content of a file.
    """
    try:
        version = uuid.UUID(version_id).bytes
    except ValueError as error:
        raise Unreadable(f"{version_id!r} is no version of MinIO") from error
    path = f"{drive_of(machine)}/{bucket}/{key}/xl.meta"
    read = machine.run(f"base64 --wrap=0 {shlex.quote(path)}")
    if not read.ok:
        return False
    try:
        return version in base64.b64decode(read.stdout.strip(), validate=True)
    except ValueError as error:
        raise Unreadable(f"{path} on {machine.name} cannot be read: {error}") from error
