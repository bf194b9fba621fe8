"""What a cluster does to a VM from outside, and what a peer on the network sees of it.

| deed | API | a peer sees |
| --- | --- | --- |
| off | `stop` | the plug is pulled: silence at once |
| shutdown | `shutdown` | an orderly stop, then silence |
| reboot | `reboot` | an orderly stop, silence, the next boot |
| suspend | `suspend` | silence; connections stay open and go on after `resume` |
| network_off | `net0 …,link_down=1` | silence; the machine itself goes on |
| rollback | snapshot's `rollback` | what `off` and `on` show, with the disk as it was |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from model.errors import AcceptanceError, ControlChannelLost, UnsafeLab
from model.outside import Outside
from model.topology import MachineSpec
from provisioning.proxmox.api import Cluster, Vm
from provisioning.proxmox.marks import require_ours

CARD = "net0"
DOWN = "link_down=1"
SNAPSHOT = "baseline"
SHUT_DOWN_WITHIN = timedelta(seconds=90)
TASKS = {
    "off": ("stop", {}),
    "on": ("start", {}),
    "shutdown": ("shutdown", {"timeout": int(SHUT_DOWN_WITHIN.total_seconds())}),
    "reboot": ("reboot", {"timeout": int(SHUT_DOWN_WITHIN.total_seconds())}),
    "suspend": ("suspend", {}),
    "resume": ("resume", {}),
}
LINKS = {"network_off": False, "network_on": True}


@dataclass(frozen=True)
class VmHands:
    """Holds one machine through the cluster's API.

    Attributes:
        spec: The machine.
        cluster: Where its VM is.
        number: The VM's id.
        run: Name of the lab that it must belong to; None for a machine that somebody owns and named in a lab file.
        make_anew: Rebuilds the machine, where that can be done.
    """

    spec: MachineSpec
    cluster: Cluster
    number: int
    run: str | None = None
    make_anew: Callable[[], None] | None = None

    def has(self, *names: str) -> bool:
        """Whether all of these can be done."""
        known = {*TASKS, *LINKS, "is_on", *(["rebuild"] if self.make_anew else [])}
        return known.issuperset(names)

    def do(self, name: str) -> None:
        """Do it; ends when the cluster says that it is done.

        Raises:
            ControlChannelLost: It did not work; says why.
            UnsafeLab: It is not ours, or we may not.
        """
        try:
            if name == "rebuild" and self.make_anew:
                self.make_anew()
            elif name in LINKS:
                self._set_link(up=LINKS[name])
            else:
                self._task(name)
        except ControlChannelLost:
            raise
        except AcceptanceError as error:
            raise _as_lost(error) from error

    def is_on(self) -> bool:
        """Whether the VM has power; one that is frozen has."""
        try:
            return self.cluster.power(self._vm()) != "stopped"
        except AcceptanceError as error:
            raise _as_lost(error) from error

    def seen(self) -> Outside:
        """What the cluster gave the VM.

        Raises:
            ControlChannelLost: It does not say.
        """
        try:
            vm = self._vm()
            config = self.cluster.config(vm)
        except AcceptanceError as error:
            raise _as_lost(error) from error
        found = re.search(r"ip=([\d.]+)", str(config.get("ipconfig0", "")))
        cores = int(config.get("cores", 1)) * int(config.get("sockets", 1))
        return Outside(vm.name, found[1] if found else "", cores, int(config.get("memory", 0)), vm.node)

    def line(self, name: str) -> str:
        """A deed in words, for messages."""
        return f"{name} of VM {self.number}"

    def snapshot(self) -> None:
        """Keep the disk as it is now, under one name: an older snapshot of that name goes.

        Raises:
            LabUnavailable: The storage cannot do that, or it failed.
        """
        vm = self._vm()
        if SNAPSHOT in self._snapshots(vm):
            self.cluster.task(
                f"removing the snapshot of {self.spec.name}", lambda api: api.nodes(vm.node).qemu(vm.id).snapshot(SNAPSHOT).delete()
            )
        self.cluster.task(
            f"keeping the disk of {self.spec.name} (snapshot)",
            lambda api: api.nodes(vm.node).qemu(vm.id).snapshot.post(snapname=SNAPSHOT, vmstate=0),
        )

    def rollback(self) -> None:
        """Bring the disk back, and switch on.

        Raises:
            LabUnavailable: There is no snapshot, or it failed.
        """
        vm = self._vm()
        self.cluster.task(
            f"bringing back the disk of {self.spec.name} (rollback)",
            lambda api: api.nodes(vm.node).qemu(vm.id).snapshot(SNAPSHOT).rollback.post(start=1),
        )

    def has_snapshot(self) -> bool:
        """Whether there is something to go back to."""
        return SNAPSHOT in self._snapshots(self._vm())

    def _snapshots(self, vm: Vm) -> set[str]:
        found = self.cluster.call(f"listing snapshots of VM {vm.id}", lambda api: api.nodes(vm.node).qemu(vm.id).snapshot.get())
        return {str(row["name"]) for row in found}

    def _vm(self) -> Vm:
        vm = self.cluster.vm(self.number)
        if self.run is not None:
            require_ours(vm, self.run)
        return vm

    def _task(self, name: str) -> None:
        vm = self._vm()
        action, options = TASKS[name]

        def ask(api: Any) -> str:
            upid: str = api.nodes(vm.node).qemu(vm.id).status(action).post(**options)
            return upid

        self.cluster.task(f"{action} of {self.spec.name} (VM {vm.id})", ask)

    def _set_link(self, *, up: bool) -> None:
        """Put the whole setting back, so that the card keeps its address; the link follows at once (hotplug)."""
        vm = self._vm()
        card = str(self.cluster.config(vm).get(CARD, ""))
        if not card:
            raise ControlChannelLost(f"VM {vm.id} ({self.spec.name}) has no network card {CARD}")
        parts = [part for part in card.split(",") if not re.match(r"link_down=", part)]
        setting = ",".join(parts if up else [*parts, DOWN])
        what = f"{'plugging in' if up else 'unplugging'} {self.spec.name} (VM {vm.id})"
        self.cluster.call(what, lambda api: api.nodes(vm.node).qemu(vm.id).config.put(**{CARD: setting}))


def _as_lost(error: AcceptanceError) -> AcceptanceError:
    return error if isinstance(error, UnsafeLab) else ControlChannelLost(str(error))
