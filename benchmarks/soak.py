"""`python -m benchmarks.soak`: the same gate again and again; every run becomes a line of `docs/soak.md`, whatever it found."""

from __future__ import annotations

import hashlib
import logging
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import suite
from benchmarks.host import ROOT, this_host
from benchmarks.load import busy_cores
from model.errors import AcceptanceError
from model.topology import DEFAULT_TOPOLOGY, TOPOLOGIES
from model.verdicts import Verdict
from provisioning.progress import Progress

DOCUMENT = ROOT / "docs/soak.md"
DIGITS = 12
HELP = """Run the gate again and again, and keep a line of each run in docs/soak.md.

Two runs with the same digest came to the same verdict in every scenario. A run that ends with another exit code than 0 gets
its line as well, and this command ends with that code; evidence stays in reports/runs.
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@dataclass(frozen=True)
class Line:
    """One run.

    Attributes:
        when: Its beginning, in UTC.
        revision: Of the project.
        topology: Of its labs.
        checks: What was run.
        labs: How many at once.
        load: Cores that were kept busy meanwhile.
        seed: What its choices by chance depended on.
        seconds: From the start of its process to the end.
        exit_code: Of the process.
        scenarios: How many had a verdict.
        digest: Of all verdicts.
    """

    when: str
    revision: str
    topology: str
    checks: str
    labs: int
    load: int
    seed: str
    seconds: float
    exit_code: int
    scenarios: int
    digest: str

    def as_row(self) -> str:
        """A row of the document's table."""
        cells = (
            self.when, f"`{self.revision}`", self.topology, f"`{self.checks}`", self.labs, self.load or "none",
            f"`{self.seed}`", f"{self.seconds:.0f}", self.exit_code, self.scenarios, f"`{self.digest}`",
        )  # fmt: skip
        return f"| {' | '.join(map(str, cells))} |"


def digest_of(record: Mapping[str, Any]) -> str:
    """Digest of the verdicts of a run: equal when every scenario came to the same one.

    Args:
        record: Contents of `run.json`.
    """
    verdicts = sorted(f"{entry['nodeid']} {entry['verdict']}" for entry in record["scenarios"])
    return hashlib.sha256("\n".join(verdicts).encode()).hexdigest()[:DIGITS]


def line_of(found: suite.SuiteRun, *, revision: str, checks: str, labs: int, load: int) -> Line:
    """What the document says of a run.

    Args:
        found: The run.
        revision: Of the project.
        checks: What was run.
        labs: How many at once.
        load: Cores that were kept busy meanwhile.
    """
    record = found.record
    counted = sum(entry["verdict"] != Verdict.NOT_RUN for entry in record["scenarios"])
    return Line(
        when=record["started"][:16].replace("T", " "), revision=revision, topology=record["topology"], checks=checks,
        labs=labs, load=load, seed=record["seed"], seconds=found.seconds, exit_code=record["exit_code"], scenarios=counted,
        digest=digest_of(record),
    )  # fmt: skip


def _revision() -> str:
    """Of the project; changed by hand or not, but for the document that is written here."""
    changed = subprocess.run(
        ["git", "diff", "--quiet", "HEAD", "--", ".", f":!{DOCUMENT.relative_to(ROOT)}"], cwd=ROOT, stdin=subprocess.DEVNULL, check=False
    )
    return this_host().revision.removesuffix("-dirty") + ("-dirty" if changed.returncode else "")


def append(document: Path, line: Line) -> None:
    """Add a line to the table at the end of the document."""
    text = document.read_text(encoding="utf-8").rstrip("\n")
    document.write_text(f"{text}\n{line.as_row()}\n", encoding="utf-8")


@app.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
def main(
    runs: Annotated[int, typer.Option(min=1, help="How often.")] = 5,
    topology: Annotated[str, typer.Option(help=f"{' or '.join(TOPOLOGIES)}.")] = DEFAULT_TOPOLOGY,
    labs: Annotated[int, typer.Option(min=1, help="How many labs at once.")] = 2,
    check: Annotated[str, typer.Option(metavar="IDS", help="Only these checks, as in `pytest --check`; all by default.")] = "",
    load: Annotated[int, typer.Option(min=0, metavar="CORES", help="Keep so many cores busy meanwhile.")] = 0,
) -> None:
    """Run, and write lines."""
    if topology not in TOPOLOGIES:
        raise typer.BadParameter(f"{topology!r} is no topology; valid ones: {', '.join(TOPOLOGIES)}", param_hint="--topology")
    logging.basicConfig(level=logging.ERROR)
    progress, worst = Progress(), 0
    options = ("--topology", topology, *(("-n", str(labs)) if labs > 1 else ()), *(("--check", check) if check else ()))
    for number in range(1, runs + 1):
        with progress.step(f"run {number} of {runs} on {topology}, begun {datetime.now(UTC):%H:%M} UTC") as step, busy_cores(load):
            try:
                found = suite.run(*options, passing=False)
            except AcceptanceError as error:
                progress.say(f"error: {error}")
                raise typer.Exit(1) from error
            line = line_of(found, revision=_revision(), checks=check or "all", labs=labs, load=load)
            step.report(note=f"exit code {line.exit_code}, verdicts {line.digest}")
        append(DOCUMENT, line)
        progress.say(line.as_row())
        if line.exit_code:
            progress.say(f"  {found.record['conclusion']}")
        worst = max(worst, line.exit_code)
    raise typer.Exit(worst)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.soak")
