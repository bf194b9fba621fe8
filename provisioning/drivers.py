"""The drivers, by the name that `--lab` takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from model.errors import BadInput, HostUnfit, ToolMissing, ToolTooOld
from provisioning import hostcheck, images, toolchain
from provisioning.embedded.driver import Alteration, EmbeddedDriver, as_in_reference
from provisioning.existing.driver import ExistingDriver
from provisioning.existing.labfile import LabFile
from provisioning.existing.reading import read_as, read_lab_file
from provisioning.proxmox import tools
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.labfile import ProxmoxLabFile

NOT_READY = (BadInput, HostUnfit, ToolMissing, ToolTooOld)
"""Why a driver cannot be had: something has to be done on this host first."""


def embedded(
    given: Mapping[str, Path | None] | None = None, *, alter: Alteration = as_in_reference, fresh_store: bool = False
) -> EmbeddedDriver:
    """The driver `embedded`, with programs and image that are there already; nothing is built.

    Args:
        given: Programs chosen by the user, by name (`minio`, `tofu`, `mc`).
        alter: Deviation from the reference configuration.
        fresh_store: Lay the state store out from nothing.

    Raises:
        BadInput: A given program is something else.
        HostUnfit: Not root, or a program of the host is missing; names the remedy.
        ToolMissing: A program or the image is not there; names the command that makes it.
        ToolTooOld: A given program cannot keep what is tested.
    """
    lacking = [finding for finding in hostcheck.essentials() if not finding.ok]
    if lacking:
        first = lacking[0]
        msg = f"an embedded lab cannot be built here: {first.name}: {first.found}; {first.remedy}"
        raise HostUnfit(msg)
    chosen = given or {}
    programs = {program.name: toolchain.find(program, chosen.get(program.name)).path for program in toolchain.PROGRAMS}
    return EmbeddedDriver(images.find(), programs, alter, fresh_store)


def existing(path: Path, given: Mapping[str, Path | None] | None = None, file: LabFile | None = None) -> ExistingDriver:
    """The driver `existing`, for the lab that a file describes; nothing is asked of the lab.

    Args:
        path: The lab file.
        given: Programs chosen by the user, by name (`mc`).
        file: What it says, where it was read before.

    Raises:
        BadInput: The file is missing, or it is wrong.
    """
    try:
        mc = toolchain.find(toolchain.MC, (given or {}).get("mc")).path
    except ToolMissing:
        mc = None  # what the operator's client shows is not run then
    return ExistingDriver(file or read_lab_file(path), path, mc)


def proxmox(path: Path, given: Mapping[str, Path | None] | None = None, file: ProxmoxLabFile | None = None) -> ProxmoxDriver:
    """The driver `proxmox`, for the lab that a file plans; nothing is asked of the cluster.

    Args:
        path: The lab file, with `driver = "proxmox"`.
        given: Programs chosen by the user, by name (`minio`, `tofu`, `mc`).
        file: What it says, where it was read before.

    Raises:
        BadInput: The file is missing, or it is wrong; a given program is something else.
        ToolMissing: A program or the provider is not there; names the command that makes it.
        ToolTooOld: A given program cannot keep what is tested.
    """
    return ProxmoxDriver(file or read_as(ProxmoxLabFile, path), path, tools.find(given))
