"""A process that ends while its lab is kept says nothing about the machines that run on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
KEEPS = """
import subprocess
from provisioning.embedded import container

started = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(started.pid)
if KNOWN: container._CHILDREN[started.pid] = started
"""


def said_in_parting(*, known: bool) -> str:
    argv = [sys.executable, "-W", "default", "-c", KEEPS.replace("KNOWN", str(known))]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    os.kill(int(done.stdout), signal.SIGKILL)
    return done.stderr


def test_kept_machines_run_on_without_a_word() -> None:
    assert not said_in_parting(known=True)


def test_python_speaks_of_other_children() -> None:
    assert "is still running" in said_in_parting(known=False)
