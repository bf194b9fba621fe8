# SPDX-License-Identifier: AGPL-3.0-or-later
"""A cluster of Proxmox VE to rehearse with: its API is fakepve's, and what the API says happens to the machines behind its VMs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fakepve import FakeVm, PveError, TaskError

from tests.rehearsal.cloud_init import is_plugged_in
from tests.rehearsal.guests import Guests, VmFacts
from tests.rehearsal.provider import ProviderReady

ON_DEEDS = {"qmstart", "qmreboot"}
WORKERS = 16
LOOKS_EVERY_SECONDS = 0.5
log = logging.getLogger(__name__)

Body = Callable[[], Awaitable[str | None]]


class RehearsalCluster(ProviderReady):
    """A machine for each VM: what fails on the machine is the task's error, as with QEMU."""

    def __init__(self, guests: Guests) -> None:
        """Prepare; nobody answers yet.

        Args:
            guests: What stands behind the VMs.
        """
        super().__init__(host="127.0.0.1", port=0)
        self.guests = guests
        self.time_scale = 1.0
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="guest")
        self._watching: asyncio.Task[None] | None = None
        self._busy: set[int] = set()

    async def start(self, certfile: str, keyfile: str) -> None:
        """Answer, and watch for machines that switch themselves off."""
        await super().start(certfile, keyfile)
        self._watching = asyncio.ensure_future(self._watch())

    async def stop(self) -> None:
        """Answer no more."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        for connection in list(self.runner.server.connections) if self.runner else ():
            if connection.transport is not None:
                connection.transport.abort()  # who left without a word is not waited for
        await super().stop()
        self._workers.shutdown(cancel_futures=True)

    async def task(
        self,
        node: str,
        ttype: str,
        tid: str,
        user: str,
        body: Body,
        vm: FakeVm | None = None,
        lock: bool = True,
        log: Iterable[str] = (),
    ) -> str:
        """Every task of the API comes through here: first what fakepve does, then the same to the machine."""
        guest = vm or (self.vm(int(tid)) if str(tid).isdigit() else None)

        async def both() -> str | None:
            if guest is None:
                return await body()
            kept = set(guest.snapshots)
            self._busy.add(guest.vmid)
            try:
                note = await body()
                try:
                    await self._do(ttype, guest, kept)
                except TaskError:
                    if ttype in ON_DEEDS:
                        guest.status = guest.qmpstatus = "stopped"
                    raise
            finally:
                self._busy.discard(guest.vmid)
            return note

        upid: str = await super().task(node, ttype, tid, user, both, vm=vm, lock=lock, log=log)
        return upid

    async def _do(self, kind: str, vm: FakeVm, kept: set[str]) -> None:
        guests = self.guests
        deeds: Mapping[str, Callable[[VmFacts], None]] = {
            "qmstart": guests.start,
            "qmstop": guests.stop,
            "qmreboot": guests.start,
            "qmreset": guests.reset,
            "qmsuspend": guests.suspend,
            "qmresume": guests.resume,
            "qmdestroy": guests.destroy,
        }
        if kind in deeds:
            await self._on_machine(kind, vm, deeds[kind])
        elif kind == "qmsnapshot":
            await self._on_machine(kind, vm, lambda facts: guests.keep_disk(facts, facts.config["parent"]))
        elif kind == "qmdelsnapshot":
            for name in kept - set(vm.snapshots):
                await self._on_machine(kind, vm, lambda facts, name=name: guests.forget_disk(facts, name))  # type: ignore[misc]
        elif kind == "qmrollback":
            await self._on_machine(kind, vm, lambda facts: guests.bring_disk_back(facts, facts.config["parent"]))
            if vm.status == "running":
                await self._on_machine(kind, vm, guests.start)

    async def _powerdown(self, vm: FakeVm, given: Mapping[str, Any]) -> str | None:
        """The power button, for `shutdown` and `reboot`."""
        seconds = int(given.get("timeout") or self.shutdown_default_timeout)
        off = await self._on_machine("power button", vm, lambda facts: self.guests.shut_down(facts, seconds))
        if not off and str(given.get("forceStop", "0")) not in {"1", "true"}:
            raise TaskError("VM quit/powerdown failed - got timeout")
        if not off:
            await self._on_machine("stop", vm, self.guests.stop)
        vm.status = vm.qmpstatus = "stopped"
        return None if off else "VM still running - terminating now with SIGTERM"

    async def _apply_config(self, vm: FakeVm, user: str, given: Mapping[str, Any]) -> None:
        before = is_plugged_in(vm.config)
        await super()._apply_config(vm, user, given)
        if vm.status == "running" and is_plugged_in(vm.config) is not before:
            try:
                await self._on_machine("link", vm, self.guests.set_link)
            except TaskError as error:
                raise PveError(500, str(error)) from error

    async def _on_machine(self, what: str, vm: FakeVm, deed: Callable[[VmFacts], Any]) -> Any:
        """Do it in a thread; whatever goes wrong ends the task, which would go on for ever otherwise."""
        facts = VmFacts(vm.vmid, vm.name, dict(vm.config))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, deed, facts)
        except Exception as error:
            log.exception("%s of VM %s (%s)", what, vm.vmid, vm.name)
            raise TaskError(f"{what} failed: {error}") from error

    async def _watch(self) -> None:
        """A machine may switch itself off; the API says so then."""
        while True:
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
            for vm in [vm for vm in self.vms if vm.status == "running" and vm.vmid not in self._busy]:
                with contextlib.suppress(TaskError):
                    if not await self._on_machine("look", vm, self.guests.is_on) and vm.vmid not in self._busy:
                        vm.status = vm.qmpstatus = "stopped"
