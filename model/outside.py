"""A machine as its hypervisor knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outside:
    """What a hypervisor gives a machine.

    Attributes:
        name: Host name at its first boot.
        address: That it was told to take.
        cpu_cores: Number of them.
        memory_mb: Its memory.
        place: Where it runs.
    """

    name: str
    address: str
    cpu_cores: int
    memory_mb: int
    place: str
