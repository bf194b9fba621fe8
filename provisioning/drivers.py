"""The drivers, by the name that `--lab` takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from model.errors import HostUnfit, ToolMissing, ToolTooOld
from provisioning import images, toolchain
from provisioning.embedded.driver import Alteration, EmbeddedDriver, as_in_reference

NOT_READY = (HostUnfit, ToolMissing, ToolTooOld)
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
        HostUnfit: Not root.
        ToolMissing: A program or the image is not there; names the command that makes it.
        ToolTooOld: A given program cannot keep what is tested.
    """
    if os.geteuid() != 0:
        msg = (
            "an embedded lab needs root, for network namespaces, mounts and containers: run it as root (sudo make acceptance); "
            "a lab that exists already does not need it"
        )
        raise HostUnfit(msg)
    chosen = given or {}
    programs = {program.name: toolchain.find(program, chosen.get(program.name)).path for program in toolchain.PROGRAMS}
    return EmbeddedDriver(images.find(), programs, alter, fresh_store)
