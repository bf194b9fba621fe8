# SPDX-License-Identifier: AGPL-3.0-or-later
"""What OpenTofu's provider asks of a cluster, and fakepve 0.5.0 does not do as Proxmox VE does."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from fakepve import FakePve, FakeVm, schema
from fakepve.lxc import SIZE_UNITS, format_size
from fakepve.qemu import DRIVE_KEY, NEW_DISK, join_drive, split_drive, volume_ref, with_mac

CARD_KEY = re.compile(r"net\d+")
SIZE = re.compile(r"\+?(\d+(?:\.\d+)?)([KMGT]?)")
CLOUD_INIT_BYTES = 4 << 20
CONFIG = "/nodes/{node}/qemu/{vmid}/config"
RESIZE = "/nodes/{node}/qemu/{vmid}/resize"


class ProviderReady(FakePve):  # type: ignore[misc]
    """fakepve with which apply, an empty plan and destroy of the provider bpg/proxmox 0.111.1 succeed.

    | the provider | fakepve alone |
    | --- | --- |
    | sends numbers and booleans in a form | keeps them as text, which the provider cannot read back |
    | makes a cloud-init drive, and knows it by its volume's name | names it like any other disk: the next plan is not empty |
    | deletes `…/qemu/101/`, with a slash at its end | answers, and does nothing |
    | resizes a disk | answers, and does nothing |
    | unplugs a network card of a machine that runs | keeps that for its next start |
    """

    def _qm_new_drive(self, vmid: int, key: str, value: str, default: str | None) -> tuple[str, list[str]]:
        volume, _ = split_drive(value)
        if not volume.endswith(":cloudinit"):
            made: tuple[str, list[str]] = super()._qm_new_drive(vmid, key, value, default)
            return made
        store, name = volume_ref(volume)[0] or default, f"vm-{vmid}-cloudinit"
        if "avail" in self.storages[store]:
            self.storages[store]["avail"] -= CLOUD_INIT_BYTES
        self.storages[store].setdefault("volumes", {})[name] = {
            "content": "images", "format": "raw", "size": CLOUD_INIT_BYTES, "vmid": vmid, "ctime": int(time.time()),
        }  # fmt: skip
        return join_drive(f"{store}:{name}", {"media": "cdrom", "size": "4M"}), [f"{store}:{name}"]

    async def _apply_config(self, vm: FakeVm, user: str, given: Mapping[str, Any]) -> None:
        await super()._apply_config(vm, user, {key: self._as_kept(vm, key, value) for key, value in given.items()})
        for key in [key for key in vm.pending if CARD_KEY.fullmatch(key)]:  # hotplug
            value = vm.pending.pop(key)
            if value is None:
                vm.config.pop(key, None)
            else:
                vm.config[key] = value

    def _as_kept(self, vm: FakeVm, key: str, value: Any) -> Any:
        """A setting as Proxmox VE keeps it."""
        properties = schema.load().paths[CONFIG]["PUT"]["parameters"]["properties"]
        kind = (properties.get(key) or {}).get("type")
        if kind == "boolean":
            return int(str(value) in {"1", "true", "yes", "on"})
        if kind == "integer":
            return int(value)
        if CARD_KEY.fullmatch(key):
            return with_mac(value)
        if DRIVE_KEY.match(key):
            volume, _ = split_drive(value)
            if NEW_DISK.match(volume) or volume.endswith(":cloudinit"):
                return self._qm_new_drive(vm.vmid, key, value, None)[0]
        return value

    def _register_stateful(self, router: Any, prefixes: tuple[str, ...]) -> None:
        super()._register_stateful(router, prefixes)
        for name in sorted(each for each in dir(self) if each.startswith("_routes_")):
            for method, template, handler in getattr(self, name)():
                if template.endswith("/{vmid}"):
                    for prefix in prefixes:
                        router.add_route(method, f"{prefix}{template}/", self._stateful_handler(template, handler))

    def _routes_resize(self) -> list[tuple[str, str, Any]]:
        return [("PUT", RESIZE, self._resize)]

    async def _resize(self, values: Mapping[str, Any], user: str) -> str:
        vm = self.find(values["node"], values["vmid"])
        self.require(user, f"/vms/{vm.vmid}", "VM.Config.Disk")

        async def body() -> None:
            volume, options = split_drive(vm.config[values["disk"]])
            size = _bytes(values["size"]) + (_bytes(options.get("size", "0")) if values["size"].startswith("+") else 0)
            if there := self._qm_volume(volume):
                there["size"] = size
            vm.config[values["disk"]] = join_drive(volume, {**options, "size": format_size(size)})

        upid: str = await self.task(vm.node, "resize", vm.vmid, user, body, vm=vm)
        return upid


def _bytes(text: str) -> int:
    found = SIZE.fullmatch(text)
    assert found is not None, f"{text!r} is no size"
    return int(float(found[1]) * (SIZE_UNITS[found[2]] if found[2] else 1))
