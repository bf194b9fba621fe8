"""Looks at the state store that need no key: its health pages and its console.

Facts: MinIO `cmd/healthcheck-router.go`. `/live` says that the process answers, `/cluster` that a write quorum is there,
`/cluster/read` that a read quorum is. A store that may speak TLS is given as `of`.
"""

from __future__ import annotations

from datetime import timedelta

from model.lab import Store
from model.topology import Address
from probes.http import LOOK_WITHIN, HttpLook, look

LIVE = "/minio/health/live"
CLUSTER = "/minio/health/cluster"
CLUSTER_READ = "/minio/health/cluster/read"


def live(address: Address, within: timedelta = LOOK_WITHIN, of: Store | None = None) -> HttpLook:
    """Whether the process behind the address answers: 200."""
    return _look(address, LIVE, within, of)


def cluster(address: Address, within: timedelta = LOOK_WITHIN, of: Store | None = None) -> HttpLook:
    """Whether the store can write: 200, else 503."""
    return _look(address, CLUSTER, within, of)


def cluster_read(address: Address, within: timedelta = LOOK_WITHIN, of: Store | None = None) -> HttpLook:
    """Whether the store can read: 200, else 503."""
    return _look(address, CLUSTER_READ, within, of)


def console(address: Address, within: timedelta = LOOK_WITHIN, of: Store | None = None) -> HttpLook:
    """The console's first page; `is_html` when a person would see one."""
    return _look(address, "/", within, of)


def _look(address: Address, page: str, within: timedelta, of: Store | None) -> HttpLook:
    if of is None:
        return look(f"http://{address.require_direct()}{page}", within=within)
    return look(f"{of.url_of(address.require_direct())}{page}", within=within, ca_file=of.ca_file)
