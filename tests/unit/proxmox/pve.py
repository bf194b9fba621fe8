"""A cluster that answers what a test wants: proxmoxer itself, over a session that is no network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxmoxer.backends.https import JsonSerializer
from proxmoxer.core import ProxmoxResource

from provisioning.existing.secret import Secret
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.connection import ClusterEntry
from provisioning.proxmox.preflight import ON_BRIDGE, ON_NODE, ON_STORAGE, ON_VMS
from provisioning.proxmox.trust import Trust

TOKEN = "suite@pve!lab"  # noqa: S105 - an id
SECRET = "00000000-1111-2222-3333-444444444444"  # noqa: S105 - nobody's
BASE = "https://pve.example.org:8006/api2/json"
UPID = "UPID:pve1:0000C530:001C9BEC:66A0E4A5:qmstart:{}:suite@pve!lab:"
GIGABYTE = 1 << 30
EVERYTHING = (*ON_VMS, *ON_STORAGE, *ON_NODE, *ON_BRIDGE, "Pool.Audit")


@dataclass
class Answer:
    """As requests has it."""

    status_code: int
    reason: str
    data: Any = None

    @property
    def text(self) -> str:
        return json.dumps({"data": self.data})

    @property
    def content(self) -> bytes:
        return self.text.encode()


@dataclass
class Pve:
    """The cluster.

    Attributes:
        vms: By id: what `cluster/resources` says, with `config` beside it.
        refuses: Called with method and path; an answer of it comes first.
        calls: Everything that was asked, as `METHOD path`, with what was sent.
        tasks: How tasks end, one after another; `OK` after that.
    """

    nodes: dict[str, str] = field(default_factory=lambda: {"pve1": "online", "pve2": "online"})
    rights: dict[str, list[str]] = field(default_factory=dict)
    vms: dict[int, dict[str, Any]] = field(default_factory=dict)
    free_gb: int = 500
    bridges: tuple[str, ...] = ("vmbr0",)
    refuses: Callable[[str, str], Answer | None] = field(default=lambda _method, _path: None)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def add(self, number: int, name: str, *tags: str, node: str = "pve1", **more: Any) -> dict[str, Any]:
        row = {"vmid": number, "name": name, "node": node, "status": "running", "tags": ";".join(tags), "config": {}, **more}
        self.vms[number] = row
        return row

    def asked(self, method: str) -> list[str]:
        """Paths of all calls of a method."""
        return [call.partition(" ")[2] for call, _ in self.calls if call.startswith(f"{method} ")]

    def request(self, method: str, url: str, data: Any = None, params: Any = None) -> Answer:
        """What a session does."""
        path = url.removeprefix(BASE)
        self.calls.append((f"{method} {path}", {**(data or {}), **(params or {})}))
        refused = self.refuses(method, path)
        if refused is not None:
            return refused
        return Answer(200, "OK", self._data(method, path, {**(data or {}), **(params or {})}))

    def close(self) -> None:
        """What a session does in the end: here are no connections."""

    def _data(self, method: str, path: str, given: dict[str, Any]) -> Any:
        rows = [{key: value for key, value in row.items() if key != "config"} for row in self.vms.values()]
        storage = {"storage": "local-lvm", "content": "images,rootdir", "active": 1, "avail": self.free_gb * GIGABYTE}
        known: dict[str, Callable[[], Any]] = {
            "/version": lambda: {"version": "9.0.10"},
            "/access/permissions": lambda: {given["path"]: dict.fromkeys(self.rights.get(given["path"], EVERYTHING), 1)},
            "/nodes": lambda: [{"node": name, "status": state} for name, state in self.nodes.items()],
            "/cluster/resources": lambda: rows,
            "storage": lambda: [storage],
            "network": lambda: [{"iface": name} for name in self.bridges],
            "task": lambda: {"status": "stopped", "exitstatus": self.tasks.pop(0) if self.tasks else "OK"},
        }
        kind = "task" if "/tasks/" in path else path if path in known else path.rsplit("/", 1)[1]
        return known[kind]() if kind in known else self._vm(method, path, given)

    def _vm(self, method: str, path: str, given: dict[str, Any]) -> Any:
        found = re.fullmatch(r"/nodes/[\w-]+/qemu/(\d+)(/.*)?", path)
        assert found is not None, path
        row, rest = self.vms[int(found[1])], found[2] or ""
        if method == "DELETE" and not rest:
            del self.vms[int(found[1])]
        if rest == "/config" and method == "PUT":
            row["config"].update(given)
        if rest == "/config" and method == "GET":
            return row["config"]
        if rest == "/status/current":
            return {"status": row["status"], "qmpstatus": row.get("qmpstatus", row["status"])}
        if method == "POST" and rest.startswith("/status/"):
            row["status"] = "stopped" if rest.endswith(("stop", "shutdown")) else "running"
        return UPID.format(found[1])


def cluster_of(pve: Pve, folder: Path) -> Cluster:
    """The cluster as the suite knows it."""
    (folder / "token").write_text(SECRET)
    entry = ClusterEntry(endpoint="https://pve.example.org:8006", token_id=TOKEN, token=Secret(file=Path("token")))
    cluster = Cluster(entry, folder, pause=pve.pauses.append)
    cluster._trust = Trust(None)
    cluster._api = ProxmoxResource(base_url=BASE, session=pve, serializer=JsonSerializer())
    return cluster
