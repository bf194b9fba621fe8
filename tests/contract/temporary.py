"""Labs that a test or a package of tests makes for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from model.lab import Lab, LabDriver
from model.topology import Topology


@contextmanager
def temporary_lab(driver: LabDriver, plan: Topology, word: str) -> Iterator[Lab]:
    """Provision a lab, and remove it whatever happens.

    Args:
        driver: Who makes it.
        plan: What it is to be.
        word: First part of its name; the process is the second.
    """
    lab = driver.provision(plan, f"{word}-{os.getpid()}")
    try:
        yield lab
    finally:
        driver.remove(lab)
