"""Runs of a variant: those that have a line at a revision already, and those that are missing."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from benchmarks import suite
from benchmarks.host import ROOT, this_host
from benchmarks.load import busy_cores
from benchmarks.soak.differences import keep
from benchmarks.soak.document import DOCUMENT, Line, append, line_of, lines
from benchmarks.soak.variants import Variant

EVERYTHING = "all"
SUITE = ("features", "steps", "fixtures", "faults", "probes", "model", "provisioning", "reports", "conftest.py")
"""What a gate runs."""


@dataclass(frozen=True)
class Wanted:
    """What is run, again and again.

    Attributes:
        variant: How.
        topology: Of the labs.
        checks: As in `pytest --check`; all without.
        since: The revision from which on lines count.
    """

    variant: Variant
    topology: str
    checks: str = ""
    since: str = ""

    def there(self) -> list[Line]:
        """The lines that the document has of such runs, the oldest first."""
        since = self.since or revision()
        found = (line for line in lines(DOCUMENT) if line.is_of(self.variant, self.topology, self.checks or EVERYTHING))
        return [line for line in found if _counts(line, since)]

    def run(self) -> tuple[Line, str]:
        """Run it once more; its record is kept, and its line written.

        Returns:
            The line, and the run's conclusion where it did not meet its gate.

        Raises:
            AcceptanceError: It never came to a scenario.
        """
        with busy_cores(self.variant.load):
            options = (*self.variant.options(self.topology), *(("--check", self.checks) if self.checks else ()))
            found = suite.run(*options, first=suite.SETUP, passing=False, program=self.variant.program(self.topology))
        line = line_of(found, self.variant, revision=revision(), checks=self.checks or EVERYTHING)
        append(DOCUMENT, line)
        keep(found.folder)
        return line, found.record["conclusion"] if line.exit_code else ""


def revision() -> str:
    """Of the project; changed by hand or not, but for the document that is written here."""
    changed = _git("diff", "--quiet", "HEAD", "--", ".", f":!{DOCUMENT.relative_to(ROOT)}").returncode
    return this_host().revision.removesuffix("-dirty") + ("-dirty" if changed else "")


def last_change() -> str:
    """The last revision in which something was changed that a gate runs; this one where it was changed by hand."""
    if _git("diff", "--quiet", "HEAD", "--", *SUITE).returncode:
        return revision()
    return _git("log", "-1", "--format=%h", "--", *SUITE).stdout.strip()


def is_known(name: str) -> bool:
    """Whether the project has such a revision."""
    return _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0


def _counts(line: Line, since: str) -> bool:
    """Whether a line's revision is that one or a later one."""
    return line.revision == since or _git("merge-base", "--is-ancestor", since, line.revision).returncode == 0


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
