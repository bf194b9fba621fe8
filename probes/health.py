"""Looks at the state store that need no key: its health pages and its console.

Facts: MinIO `cmd/healthcheck-router.go`. `/live` says that the process answers, `/cluster` that a write quorum is there,
`/cluster/read` that a read quorum is.
"""

from __future__ import annotations

from datetime import timedelta

from model.topology import Address
from probes.http import LOOK_WITHIN, HttpLook, look

LIVE = "/minio/health/live"
CLUSTER = "/minio/health/cluster"
CLUSTER_READ = "/minio/health/cluster/read"


def live(address: Address, within: timedelta = LOOK_WITHIN) -> HttpLook:
    """Whether the process behind the address answers: 200."""
    return look(f"http://{address.require_direct()}{LIVE}", within=within)


def cluster(address: Address, within: timedelta = LOOK_WITHIN) -> HttpLook:
    """Whether the store can write: 200, else 503."""
    return look(f"http://{address.require_direct()}{CLUSTER}", within=within)


def cluster_read(address: Address, within: timedelta = LOOK_WITHIN) -> HttpLook:
    """Whether the store can read: 200, else 503."""
    return look(f"http://{address.require_direct()}{CLUSTER_READ}", within=within)


def console(address: Address, within: timedelta = LOOK_WITHIN) -> HttpLook:
    """The console's first page; `is_html` when a person would see one."""
    return look(f"http://{address.require_direct()}/", within=within)
