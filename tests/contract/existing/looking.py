"""What `check` says of a lab that somebody owns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faulty_labs.acceptance_run import ROOT


def looked(lab_file: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """What it finds wanting, by name, and which scenarios would not run."""
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", "check", str(lab_file), "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    return {each["name"]: each for each in told["findings"] if not each["ok"]}, told["not_run"]
