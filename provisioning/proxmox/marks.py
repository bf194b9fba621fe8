"""The marks by which a VM is known as ours: tags that the OpenTofu module `basic-vm` gives it, with its run and its expiry."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from model.errors import UnsafeLab
from provisioning.proxmox.api import Vm

OWNER = "tofu-ha-acceptance"
RUN, EXPIRES = "run-", "expires-"
MOMENT = "%Y%m%dt%H%M%Sz"


def is_ours(vm: Vm) -> bool:
    """Whether this suite made the VM."""
    return OWNER in vm.tags and not vm.template


def run_of(vm: Vm) -> str:
    """The run or lab that it belongs to; empty where no tag says so."""
    return next((tag.removeprefix(RUN) for tag in sorted(vm.tags) if tag.startswith(RUN)), "")


def expiry_of(vm: Vm) -> datetime | None:
    """From when on it may be removed; None where no tag says so."""
    for tag in sorted(vm.tags):
        if tag.startswith(EXPIRES):
            try:
                return datetime.strptime(tag.removeprefix(EXPIRES), MOMENT).replace(tzinfo=UTC)
            except ValueError:
                continue
    return None


def is_expired(vm: Vm, now: datetime | None = None) -> bool:
    """Whether its time is over."""
    until = expiry_of(vm)
    return until is not None and until <= (now or datetime.now(UTC))


def require_ours(vm: Vm, run: str | None = None) -> None:
    """Go on only with a VM that is ours.

    Args:
        vm: As the cluster lists it now.
        run: The run that it must belong to; any, unless given.

    Raises:
        UnsafeLab: It is somebody else's; nothing is done to it.
    """
    if not is_ours(vm):
        raise UnsafeLab(f"VM {vm.id} ({vm.name} on {vm.node}) does not carry the tag {OWNER}: it is not ours, and nothing is done to it")
    if run is not None and run_of(vm) != run:
        raise UnsafeLab(f"VM {vm.id} ({vm.name} on {vm.node}) belongs to {run_of(vm) or 'no run'}, not to {run}: nothing is done to it")


def run_name(name: str) -> str:
    """A lab's name as the module and tags take it."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:63].strip("-")
