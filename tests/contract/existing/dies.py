"""A run that dies: strikes with a fault in a lab that is not ours, and is killed while the fault is there.

Arguments: lab file, journal, title of the fault.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from faults.dead_man import DeadMan
from faults.safeguard import Safeguard
from model.journal import Began, Journal
from provisioning import drivers
from tests.contract.faults.zoo import ONE_OF_EACH


def die(lab_file: Path, journal_file: Path, title: str) -> None:
    """Strike, say so, and end without a word."""
    driver = drivers.existing(lab_file)
    driver.remember_network()
    lab = driver.provision(driver.file.plan(), driver.file.name)
    journal = Journal(journal_file)
    journal.write(Began("contract", lab.name, str(lab_file), lab.store.key("contract") + "/"))
    fault = ONE_OF_EACH[title](lab)
    fault.strike(Safeguard(journal, DeadMan("contract")).before)
    sys.stdout.write(f"struck: {fault}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    die(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
