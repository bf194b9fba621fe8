"""Runs `pytest features/` for real, in a process of its own, and reads what it left: output, record, JUnit, evidence, leftovers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from model.waiting import wait_until
from provisioning import places
from provisioning.embedded.removal import leftovers, mounts_below

ROOT = Path(__file__).parents[2]
ENDS_WITHIN = timedelta(seconds=300)
COMES_SO_FAR_WITHIN = timedelta(seconds=180)


@dataclass
class AcceptanceRun:
    """A run of the suite.

    Attributes:
        place: An empty folder for everything that the run writes.
        arguments: For pytest, after `features/`.
        process: The run, once it was started.
    """

    place: Path
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Start it, in a process group of its own as a terminal does."""
        command = [
            sys.executable, "-m", "pytest", "features/", "-p", "tests.faulty_labs.plugin",
            "--runs", str(self.place), "--progress", str(self.place / "progress"), *self.arguments,
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment["COLUMNS"] = "200"
        with (self.place / "output").open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
            )

    def finish(self) -> int:
        """Wait for its end.

        Returns:
            Its exit code.
        """
        try:
            return self.process.wait(ENDS_WITHIN.total_seconds())
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(ENDS_WITHIN.total_seconds())
            raise

    @property
    def output(self) -> str:
        """Everything that it printed."""
        return (self.place / "output").read_text(errors="replace")

    @property
    def progress(self) -> str:
        """The sentences that it reached."""
        path = self.place / "progress"
        return path.read_text() if path.exists() else ""

    def wait_for_sentence(self, line: str) -> None:
        """Wait until a sentence `begins: …` or has `ended: …`."""
        wait_until(
            lambda: line in self.progress or self.process.poll() is not None,
            bool,
            what=f"the run comes to {line!r}",
            within=COMES_SO_FAR_WITHIN,
            every=timedelta(milliseconds=20),
        )
        assert line in self.progress, self.output

    @property
    def folder(self) -> Path:
        """Where the record is; the name is the run's id."""
        return next((self.place / "runs").iterdir())

    def places(self, pattern: str) -> list[Path]:
        """Files of its labs; none before the run has begun."""
        return [path for lab in self.labs for path in lab.glob(pattern)] if list(self.place.glob("runs/*")) else []

    @property
    def record(self) -> dict[str, Any]:
        """`run.json`."""
        data: dict[str, Any] = json.loads((self.folder / "run.json").read_text())
        return data

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """Rows of the record, by id."""
        return {row["id"]: row for row in self.record["checks"]}

    @property
    def scenarios(self) -> dict[str, dict[str, Any]]:
        """Selected scenarios of the record, by title."""
        return {entry["title"]: entry for entry in self.record["scenarios"]}

    @property
    def junit(self) -> dict[str, ET.Element]:
        """Test cases, by title."""
        cases = ET.parse(self.folder / "junit.xml").iter("testcase")  # noqa: S314 - we wrote it
        return {case.get("name", ""): case for case in cases}

    @property
    def labs(self) -> list[Path]:
        """Folders of its labs that are there."""
        return sorted(places.labs().glob(f"run-{self.folder.name}*"))

    def remains(self) -> list[str]:
        """Everything of its labs that is on this host: folders, mounts, namespaces, control groups, processes."""
        name = f"run-{self.folder.name}"
        found = [f"folder {path}" for path in self.labs]
        found += [f"{left.lab}: {what}" for left in leftovers() if left.lab.startswith(name) for what in left.found]
        found += [f"mount {point}" for point in mounts_below(places.labs()) if name in point]
        return found + [f"process {path.parent.name}" for path in Path("/proc").glob("[0-9]*/cmdline") if name in _read(path)]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def run_features(place: Path, *arguments: str) -> AcceptanceRun:
    """Run to the end."""
    run = AcceptanceRun(place, arguments)
    run.finish()
    return run
