"""Run a host's program, and say what failed."""

from __future__ import annotations

import subprocess

from model.errors import LabUnavailable

DEADLINE_SECONDS = 30.0


def run(*argv: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program of the host to its end (30 s at most).

    Raises:
        LabUnavailable: It could not be started, failed (unless `check` is off) or did not end in time.
    """
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"{argv[0]} could not be run: {error}"
        raise LabUnavailable(msg) from error
    if check and done.returncode != 0:
        msg = f"`{' '.join(argv)}` failed with {done.returncode}: {(done.stderr or done.stdout).strip()}"
        raise LabUnavailable(msg)
    return done
