"""Clones that were being made when a run was killed: they carry our description from their first moment, and our tags only in the end."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

from model.errors import AcceptanceError
from provisioning.proxmox.api import Cluster, Vm
from provisioning.proxmox.marks import EXPIRES, OWNER, RUN, is_ours

NOTE = re.compile(rf"Made by {OWNER} for ([a-z0-9-]+)(?:; may be removed from (\d{{4}})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z on)?\.\s*\Z")
"""As the module `basic-vm` ends a description."""


def seen_through(cluster: Cluster, prefix: str) -> list[Vm]:
    """All VMs; those with a name of the lab's that only their description shows as ours have the tags that it stands for.

    Args:
        cluster: Where they are.
        prefix: With which names of the lab's VMs begin.
    """
    return [with_marks(cluster, vm) if vm.name.startswith(prefix) else vm for vm in cluster.vms()]


def with_marks(cluster: Cluster, vm: Vm) -> Vm:
    """A VM with the tags that its description stands for; as it is, where it says nothing of ours."""
    if is_ours(vm) or vm.template:
        return vm
    description = ""
    with contextlib.suppress(AcceptanceError):  # it went meanwhile, or is on a node that is silent
        description = str(cluster.config(vm).get("description", ""))
    found = NOTE.search(description)
    if found is None:
        return vm
    run, *moment = found.groups()
    tags = {OWNER, f"{RUN}{run}"}
    if moment[0]:
        tags.add(f"{EXPIRES}{''.join(moment[:3])}t{''.join(moment[3:])}z")
    return replace(vm, tags=vm.tags | tags)
