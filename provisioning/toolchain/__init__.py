"""Programs that a lab is made of: MinIO, OpenTofu and MinIO's client, each found or built, of a version that is known."""

from __future__ import annotations

from provisioning.toolchain import sources
from provisioning.toolchain.build import ensure
from provisioning.toolchain.lookup import available, find
from provisioning.toolchain.programs import EXTRAS, MC, MINIO, PROGRAMS, PROVIDER, TOFU, VERSITYGW, Program, Tool

__all__ = [
    "EXTRAS",
    "MC",
    "MINIO",
    "PROGRAMS",
    "PROVIDER",
    "TOFU",
    "VERSITYGW",
    "Program",
    "Tool",
    "available",
    "ensure",
    "find",
    "sources",
]
