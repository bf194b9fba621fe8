"""A lab as each driver has it: the one that made it, and one that knows nothing but the file of `up --write-lab-file`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from model.lab import Lab, LabDriver
from provisioning import drivers
from provisioning.existing.writing import write_lab_file
from tests.contract.network import in_own_network

MAKER, GUEST = "embedded", "existing"


@dataclass(frozen=True)
class View:
    """A lab, and the driver through which it is seen."""

    driver: LabDriver
    lab: Lab

    @contextmanager
    def inside(self) -> Iterator[Lab]:
        """Be where the thread of a scenario is, and come back."""
        with in_own_network():
            self.driver.enter(self.lab)
            yield self.lab


@contextmanager
def seen_by(name: str, maker: LabDriver, owned: Lab, folder: Path) -> Iterator[View]:
    """Look at a lab through a driver.

    Args:
        name: `MAKER` or `GUEST`.
        maker: The driver that made the lab.
        owned: The lab, as that one has it.
        folder: Empty, for the lab file.
    """
    if name == MAKER:
        yield View(maker, owned)
        return
    path = folder / "lab.toml"
    write_lab_file(owned, path)
    guest = drivers.existing(path)
    lab = guest.connect(guest.file.plan())
    try:
        yield View(guest, lab)
    finally:
        guest.remove(lab)
