"""A command brings what it needs, and nothing of what only others do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.cli.commands import COMMANDS, Loaded

ROOT = Path(__file__).parents[3]
HEAVY = ("boto3", "minio", "paramiko", "proxmoxer", "pydantic", "pytest")
LOAD = f"""
import sys
from provisioning.cli.commands import COMMANDS
COMMANDS[sys.argv[1]].load(sys.argv[1])
print(*(name for name in {HEAVY} if name in sys.modules))
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_each_is_there_and_explains_itself(name: str) -> None:
    command = Loaded()[name]
    assert command.name == name
    assert command.get_short_help_str()


def test_what_lab_files_call_for_each_machine_is_light() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD, "power"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
