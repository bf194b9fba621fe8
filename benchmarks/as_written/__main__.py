"""`python -m benchmarks.as_written`: puts the guide to the letter to the test, and writes the page that tells of it."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import suite
from benchmarks.as_written.document import PAGE, page, rewrite_readme
from benchmarks.as_written.race import race
from benchmarks.as_written.record import FILE, Findings, planted, reduced, soaked
from benchmarks.host import ROOT, this_host
from model.errors import AcceptanceError, BadInput
from provisioning.progress import Progress

TOPOLOGIES = ("as-written", "as-written-haproxy-first", "as-written-resolved", "single")
CHECKS = "V*,T*,S*"
WRONG_USAGE = 4
HELP = f"""Build the guide to the letter, run its checklist, tests and build steps on it, and write what was found.

Runs `pytest features/ --check '{CHECKS}'` on the guide's one host as it is built (MinIO is started first), on the same host when
HAProxy was quicker, with the clash resolved by a host each, and on the reference configuration of the same size. Then reboots the one host
again and again, to see who gets the port. What was found is kept in {FILE.relative_to(ROOT)}; {PAGE.relative_to(ROOT)} and the head of
README.md are written from it. Wants root and a finished `make setup`.
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


def _known(names: list[str] | None) -> list[str]:
    for name in names or ():
        if name not in TOPOLOGIES:
            raise typer.BadParameter(f"{name!r} is not run here; valid ones: {', '.join(TOPOLOGIES)}")
    return names or list(TOPOLOGIES)


@app.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]}, epilog="All of it takes about ten minutes on two cores.")
def main(
    what: Annotated[
        list[str] | None, typer.Argument(callback=_known, metavar="[TOPOLOGY]...", help=f"Only on these: {', '.join(TOPOLOGIES)}.")
    ] = None,
    *,
    reboots: Annotated[int, typer.Option(min=0, help="How often the one host is rebooted; 0: the races that are known stay.")] = 20,
    labs: Annotated[int, typer.Option(min=1, max=8, help="Labs at a time; scenarios mostly wait, so two fit two cores.")] = 2,
    only_write: Annotated[bool, typer.Option("--write", help="Run nothing; write the pages anew from what was found before.")] = False,
    proof: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Tell of this sitting of `make prove` (reports/proof/proof.json).")
    ] = None,
) -> None:
    """Run, race, write."""
    logging.basicConfig(level=logging.ERROR)
    progress = Progress()
    try:
        if proof is not None:
            sitting = planted(json.loads(proof.read_text(encoding="utf-8")))
            Findings.load().model_copy(update={"planted": sitting}).save()
        if not only_write:
            _find(progress, what or list(TOPOLOGIES), labs, reboots)
        findings = Findings.load().model_copy(update={"soaked": soaked()})
        findings.save()
        PAGE.write_text(page(findings), encoding="utf-8")
        rewrite_readme(findings)
    except AcceptanceError as error:
        progress.say(f"error: {error}")
        raise typer.Exit(WRONG_USAGE if isinstance(error, BadInput) else 1) from error
    progress.say(f"written: {PAGE.relative_to(ROOT)}, {FILE.relative_to(ROOT)}, README.md")


def _find(progress: Progress, topologies: list[str], labs: int, reboots: int) -> None:
    for name in topologies:
        with progress.step(f"the guide's promises on {name}") as step:
            found = suite.run("--topology", name, "--check", CHECKS, "-n", str(labs), passing=False)
            run = reduced(found.record)
            Findings.load().with_run(run).save()
            step.report(note=f"{run.holding()} of 8 hold")
    if reboots:
        with progress.step(f"the one host is rebooted {reboots} times") as step:
            seen = race(reboots, lambda what: step.report(note=what))
            raced = f"{datetime.now(UTC):%Y-%m-%d} at revision {this_host().revision}"
            Findings.load().model_copy(update={**seen, "raced": raced}).save()


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.as_written")
