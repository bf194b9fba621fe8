"""The API of a cluster: calls that are retried where that helps, tasks that are waited for and looked at, and errors in plain words.

Facts about texts and codes: what pve-http-server (`AnyEvent.pm`), qemu-server and the bpg provider (`proxmox/retry`) say and retry.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import requests
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException
from proxmoxer.tools import Tasks

from model.errors import LabUnavailable, UnsafeLab
from provisioning.namespaces import in_network, own_network
from provisioning.proxmox.connection import ClusterEntry
from provisioning.proxmox.trust import Trust, trust

T = TypeVar("T")
TRANSIENT = re.compile(
    r"can't lock file .* got timeout|got no worker upid|Too many redirections|unable to read tail|"
    r"guest-ping.* got timeout|connection reset|cfs-lock .* got lock request timeout",
    re.IGNORECASE | re.DOTALL,
)
"""Nothing was begun, and the next try may find the way free. Source: bpg#995, #1413, #1521, `proxmox/retry/retry.go`, Telmate#173."""

LOCKED = re.compile(r"(?:VM|CT) is locked(?: \(([\w-]+)\))?")
NO_RIGHT = re.compile(r"Permission check failed(?: \(([^)]*)\))?")
TRIES, PAUSE_SECONDS = 5, 2.0
LOCKED_FOR = timedelta(seconds=60)
TASK_WITHIN = timedelta(minutes=5)
TASK_EVERY_SECONDS = 0.2
UNAUTHORIZED, FORBIDDEN = 401, 403
NODE_SILENT = frozenset({595, 596, 597})


@dataclass(frozen=True)
class Vm:
    """A VM as the cluster lists it.

    Attributes:
        id: Its number.
        name: Its name.
        node: Where it is now.
        running: Whether it has power, frozen or not.
        tags: All of them.
        template: Whether it is a template.
        lock: Who is working on it (`backup`, `clone` …); empty as a rule.
    """

    id: int
    name: str
    node: str
    running: bool
    tags: frozenset[str] = frozenset()
    template: bool = False
    lock: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Vm:
        """From a row of `GET /cluster/resources`."""
        tags = frozenset(re.split(r"[;,\s]+", str(row.get("tags") or ""))) - {""}
        return cls(
            int(row["vmid"]),
            str(row.get("name", "")),
            str(row["node"]),
            row.get("status") == "running",
            tags,
            str(row.get("template", 0)) in {"1", "True"},
            str(row.get("lock") or ""),
        )


class VmLocked(LabUnavailable):
    """Somebody else works on a VM; we wait, and never force it."""


class Cluster:
    """A cluster of Proxmox VE.

    Its calls leave from the network in which it was made, whatever network the calling thread is in by then.
    """

    def __init__(self, entry: ClusterEntry, base: Path, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Prepare; nothing is asked yet.

        Args:
            entry: From the lab file.
            base: Folder of the lab file.
            pause: Waits before another try.
        """
        self.entry, self._base, self._pause = entry, base, pause
        self._home = own_network()
        self._api: ProxmoxAPI | None = None
        self._trust: Trust | None = None
        self._making = threading.Lock()

    def close(self) -> None:
        """End connections, and forget the network; certificates that were fetched are removed."""
        if self._api is not None:
            self._api._store["session"].close()  # noqa: SLF001 - proxmoxer has no other way to end it
        if self._home >= 0:
            os.close(self._home)
            self._home = -1
        if self._trust is not None:
            self._trust.forget()

    @property
    def secret(self) -> str:
        """The token's secret.

        Raises:
            BadInput: It is not where the file says.
        """
        return self.entry.token.read("cluster.token", self._base)

    @property
    def trust(self) -> Trust:
        """Whom to trust for TLS.

        Raises:
            LabUnavailable: The cluster does not answer, or shows another certificate than the file has.
        """
        with self._making:
            if self._trust is None:
                self._trust = self.at_home(lambda: trust(self.entry, self._base))
            return self._trust

    def api(self) -> ProxmoxAPI:
        """The client of proxmoxer."""
        found = self.trust
        with self._making:
            if self._api is None:
                user, _, name = self.entry.token_id.partition("!")
                host, port = self.entry.place
                self._api = ProxmoxAPI(
                    host,
                    port=port,
                    user=user,
                    token_name=name,
                    token_value=self.secret,
                    verify_ssl=str(found.ca_file) if found.ca_file else True,
                    timeout=self.entry.within,
                )
                if found.adapter is not None:
                    self._api._store["session"].mount("https://", found.adapter)  # noqa: SLF001 - proxmoxer has no other way to pin
            return self._api

    def at_home(self, work: Callable[[], T]) -> T:
        """Do something in the network in which this was made."""
        return in_network(self._home, work)

    def call(self, what: str, ask: Callable[[ProxmoxAPI], T]) -> T:
        """Ask the API; what is transient is tried again, a VM that somebody else works on is waited for.

        Args:
            what: What is done, for messages ("stopping VM 101").
            ask: Calls proxmoxer.

        Raises:
            LabUnavailable: It did not work; says why.
            UnsafeLab: We may not.
        """
        locked_until = time.monotonic() + LOCKED_FOR.total_seconds()
        for tried in itertools.count(1):
            try:
                return self.at_home(lambda: ask(self.api()))
            except ResourceException as error:
                text = f"{error.content} {error.errors or ''}".strip()
                lock = LOCKED.search(text)
                if lock and time.monotonic() < locked_until:
                    self._pause(PAUSE_SECONDS)
                    continue
                if TRANSIENT.search(text) and tried < TRIES:
                    self._pause(PAUSE_SECONDS)
                    continue
                raise _told(what, error, text, self.entry.token_id) from error
            except requests.exceptions.RequestException as error:
                raise LabUnavailable(f"{what}: {self.entry.endpoint} does not answer: {_cause(error)}") from error
        raise AssertionError

    def task(self, what: str, ask: Callable[[ProxmoxAPI], str], within: timedelta = TASK_WITHIN) -> None:
        """Begin a task, and wait until it has ended well.

        Args:
            what: What is done, for messages.
            ask: Calls proxmoxer; its answer is the task's id.
            within: How long it may take.

        Raises:
            LabUnavailable: It failed, or did not end in time.
            UnsafeLab: We may not.
        """
        locked_until = time.monotonic() + LOCKED_FOR.total_seconds()
        for tried in itertools.count(1):
            upid = self.call(what, ask)
            ended = self.call(what, lambda api, upid=upid: _ended(api, upid, within))  # type: ignore[misc]
            status = "" if ended is None else str(ended.get("exitstatus", ""))
            if ended is None:
                raise LabUnavailable(f"{what}: the task did not end within {within.total_seconds():g} s ({upid})")
            if status == "OK" or status.startswith("WARNINGS"):
                return
            busy = LOCKED.search(status) and time.monotonic() < locked_until
            if not busy and (not TRANSIENT.search(status) or tried >= TRIES):
                raise LabUnavailable(f"{what}: {status} ({upid})")
            self._pause(PAUSE_SECONDS)

    def vms(self) -> list[Vm]:
        """All VMs that the token may see."""
        return [Vm.of(row) for row in self.call("listing VMs", lambda api: api.cluster.resources.get(type="vm")) if "vmid" in row]

    def vm(self, number: int) -> Vm:
        """One VM, where it is now.

        Raises:
            LabUnavailable: There is none of that id, or the token may not see it.
        """
        for found in self.vms():
            if found.id == number:
                return found
        raise LabUnavailable(f"there is no VM {number} in the cluster, or the token {self.entry.token_id} may not see it (VM.Audit)")

    def config(self, vm: Vm) -> dict[str, Any]:
        """Settings of a VM."""
        found: dict[str, Any] = self.call(f"reading VM {vm.id}", lambda api: api.nodes(vm.node).qemu(vm.id).config.get())
        return found

    def power(self, vm: Vm) -> str:
        """`running`, `paused` or `stopped`."""
        seen = self.call(f"looking at VM {vm.id}", lambda api: api.nodes(vm.node).qemu(vm.id).status.current.get())
        if seen.get("status") == "stopped":
            return "stopped"
        return "paused" if seen.get("qmpstatus") in {"paused", "suspended"} else "running"


def _ended(api: ProxmoxAPI, upid: str, within: timedelta) -> dict[str, Any] | None:
    """The task's last status; None where it goes on. `blocking_status` raises for neither a timeout nor a failure."""
    ended: dict[str, Any] | None = Tasks.blocking_status(api, upid, timeout=within.total_seconds(), polling_interval=TASK_EVERY_SECONDS)
    return ended


def _told(what: str, error: ResourceException, text: str, token: str) -> Exception:
    """What the cluster's refusal means."""
    if error.status_code == UNAUTHORIZED:
        return LabUnavailable(f"{what}: the cluster does not know the token {token}, or its secret is another one")
    if error.status_code == FORBIDDEN:
        missing = NO_RIGHT.search(text)
        return UnsafeLab(f"{what}: the token {token} lacks a right: {missing[1] if missing and missing[1] else text}")
    if lock := LOCKED.search(text):
        kind = f" ({lock[1]})" if lock[1] else ""
        return VmLocked(f"{what}: the VM is locked{kind}, somebody else works on it; this is never forced. Try again when that is done")
    if error.status_code in NODE_SILENT:
        return LabUnavailable(f"{what}: a node of the cluster does not answer ({error.status_code} {text})")
    return LabUnavailable(f"{what}: {error.status_code} {text}")


def _cause(error: requests.exceptions.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate is not trusted; give cluster.ca_file (/etc/pve/pve-root-ca.pem of a node) or fingerprint ({error})"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    return str(error)
