# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers for a cluster: its event loop in a thread, TLS with a certificate of its own, and the role that the documents ask for."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fakepve import settle
from fakepve.certs import make_cert

from model.secrets import SECRETS
from provisioning.proxmox.preflight import ON_BRIDGE, ON_NODE, ON_POOL, ON_STORAGE, ON_TEMPLATE, ON_VMS
from tests.rehearsal.cluster import RehearsalCluster

T = TypeVar("T")
NODES = ("pve1", "pve2", "pve3", "pve4")
POOL, STORAGE, BRIDGE = "acceptance", "local-lvm", "vmbr0"
TEMPLATE, TEMPLATE_NAME = 9000, "debian-12"
USER = "acceptance@pve"
TOKEN_ID = f"{USER}!suite"
GIGABYTE = 1 << 30
DISK_GB = 4
FREE_GB = 500
CALL_SECONDS = 60.0


@dataclass(frozen=True)
class Serving:
    """A cluster that answers.

    Attributes:
        cluster: What it knows; touch it through `do`.
        secret: Of the token.
        ca_file: Whom to trust for TLS.
    """

    cluster: RehearsalCluster
    secret: str
    ca_file: Path
    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return str(self.cluster.url)

    def do(self, work: Callable[[RehearsalCluster], T]) -> T:
        """Look at the cluster, or change something of it, in its own thread."""

        async def there() -> T:
            return work(self.cluster)

        return self.wait(there())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Have its thread do something that takes a while."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)

    def stop(self) -> None:
        """Answer no more."""
        self.wait(settle())
        self.wait(self.cluster.stop())
        self.wait(settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()


def serve(cluster: RehearsalCluster, folder: Path) -> Serving:
    """Have a cluster answer.

    Args:
        cluster: With nothing in it yet: it gets nodes, a template, a pool, and a token with the role of docs/proxmox.md.
        folder: For its certificate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key, _ = make_cert(str(folder), hosts=(cluster.host,))
    secret = SECRETS.register(secrets.token_hex(16))
    _furnish(cluster, secret)
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()

    thread = threading.Thread(target=run, name="cluster", daemon=True)
    thread.start()
    serving = Serving(cluster, secret, Path(certificate), loop, thread)
    serving.wait(cluster.start(certificate, key))
    return serving


def _furnish(cluster: RehearsalCluster, secret: str) -> None:
    cluster.nodes = {node: {"online": True} for node in NODES}
    cluster.pools[POOL] = set()
    store = cluster.storages[STORAGE]
    store.update(shared=1, avail=FREE_GB * GIGABYTE)
    store["volumes"] = {
        f"base-{TEMPLATE}-disk-0": {
            "content": "images",
            "format": "raw",
            "size": DISK_GB << 30,
            "vmid": TEMPLATE,
            "ctime": int(time.time()),
        }
    }
    add_template(cluster)
    cluster.users[USER] = secrets.token_hex(16)
    cluster.apitokens[TOKEN_ID] = secret
    rights = {
        f"/pool/{POOL}": (*ON_VMS, *ON_POOL),
        f"/vms/{TEMPLATE}": ON_TEMPLATE,
        f"/storage/{STORAGE}": ON_STORAGE,
        "/nodes": ON_NODE,
        f"/sdn/zones/localnetwork/{BRIDGE}": ON_BRIDGE,
    }
    for path, privileges in rights.items():
        cluster.grant(USER, path, *privileges)


def add_template(cluster: RehearsalCluster) -> None:
    """A VM as docs/proxmox.md makes it with `qm`."""
    config = {
        "template": 1, "cores": 1, "sockets": 1, "memory": 1024, "ostype": "l26", "scsihw": "virtio-scsi-pci", "boot": "order=scsi0",
        "scsi0": f"{STORAGE}:base-{TEMPLATE}-disk-0,size={DISK_GB}G", "net0": f"virtio=BC:24:11:00:90:00,bridge={BRIDGE}",
        "serial0": "socket", "vga": "serial0", "agent": "0", "meta": "creation-qemu=10.0.2,ctime=1700000000",
        "smbios1": "uuid=00000000-0000-0000-0000-000000009000", "vmgenid": "00000000-0000-0000-0000-000000009001",
    }  # fmt: skip
    cluster.add_vm(TEMPLATE, TEMPLATE_NAME, node=NODES[0], template=True, config=config)
