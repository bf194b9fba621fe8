"""Configurations that pipeline jobs bring along: small, without downloads, with an effect that can be counted."""

from __future__ import annotations

import io
import json
import secrets
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from model.lab import Store

S3_BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
"""All that a job says about its backend: the lab owns the settings (role *runner*)."""

HOLD_SECONDS = 60
RELEASE_FILE = "release"
POLLS_PER_SECOND = 10


@dataclass(frozen=True)
class Workspace:
    """What a pipeline job unpacks on a runner.

    Attributes:
        key: State key below `acceptance/<run id>/`.
        files: Content by name.
        holding_marker: What the apply prints once it holds the lock and waits for its release; empty when it does not wait.
        own_backend: Whether the files bring their own backend block: the runner's settings
            (`TF_CLI_ARGS_init`) are then left out.
    """

    key: str
    files: Mapping[str, str] = field(default_factory=dict)
    holding_marker: str = ""
    own_backend: bool = False

    def with_files(self, files: Mapping[str, str]) -> Workspace:
        """The same workspace with more, or other, files."""
        return replace(self, files={**self.files, **files})

    def packed(self) -> bytes:
        """The files as an uncompressed tar."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, text in self.files.items():
                content = text.encode()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = len(content), 0o644, int(time.time())
                archive.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()


def state_key(store: Store, run_id: str, slug: str) -> str:
    """Where the state of one scenario lies in the bucket."""
    return store.key(run_id, slug, "terraform.tfstate")


def fresh_value() -> str:
    """A value that no apply has used yet, so that applying it changes the state."""
    return secrets.token_hex(6)


def counted(key: str, value: str, *, resources: int = 1, backend: str = S3_BACKEND) -> Workspace:
    """A workspace whose state changes whenever the value does.

    Args:
        key: State key.
        value: Input of every resource; also the output `value`.
        resources: How many `terraform_data` resources (built into OpenTofu: nothing is downloaded).
        backend: The backend block; another one than the lab's makes the workspace bring its own.
    """
    return Workspace(key, {"main.tf": _resources(value, resources), "backend.tf": backend}, own_backend=backend != S3_BACKEND)


def holding(key: str, value: str, *, resources: int = 1, hold_seconds: int = HOLD_SECONDS) -> Workspace:
    """As `counted`, but the apply prints a marker while it has the lock, and waits until it is released.

    The release is a file beside the job's own folder on the runner, made by `probes.tofu.release`. An apply that is
    not released within the time fails.

    Args:
        key: State key.
        value: Input of every resource.
        resources: How many resources beside the waiting one.
        hold_seconds: Longest wait.
    """
    token = secrets.token_hex(8)
    # OpenTofu echoes the command: the marker must not stand in it in one piece.
    wait = (
        f"printf '%s%s\\n' HOLDING- {token}; i=0; "
        f"while [ ! -e ../{RELEASE_FILE} ]; do i=$((i+1)); "
        f"[ $i -le {hold_seconds * POLLS_PER_SECOND} ] || {{ echo never released; exit 3; }}; sleep {1 / POLLS_PER_SECOND}; done"
    )
    hold = (
        'resource "terraform_data" "hold" {\n'
        f"  triggers_replace = {json.dumps(value)}\n"
        '  provisioner "local-exec" {\n'
        f"    command = {json.dumps(wait)}\n"
        "  }\n"
        "}\n"
    )
    files = {"main.tf": _resources(value, resources), "hold.tf": hold, "backend.tf": S3_BACKEND}
    return Workspace(key, files, holding_marker=f"HOLDING-{token}")


def local(key: str, value: str, *, resources: int = 1) -> Workspace:
    """A workspace that starts with local state; its step `use_lab_backend` brings in the lab's backend for a migration."""
    return Workspace(key, {"main.tf": _resources(value, resources), "backend.tf.later": S3_BACKEND})


def _resources(value: str, count: int) -> str:
    quoted = json.dumps(value)
    return (
        f'resource "terraform_data" "change" {{\n  count = {count}\n  input = {quoted}\n}}\n\n'
        'output "value" {\n  value = terraform_data.change[0].output\n}\n'
    )
