"""`python -m benchmarks.soak`: runs the gate N times in every variant; goes on where an earlier call ended."""

from __future__ import annotations

import logging
import signal
from datetime import UTC, datetime
from typing import Annotated

import typer

from benchmarks.soak.differences import differences
from benchmarks.soak.document import Line
from benchmarks.soak.runs import Wanted, is_known
from benchmarks.soak.variants import VARIANTS
from model.errors import AcceptanceError
from model.topology import DEFAULT_TOPOLOGY, TOPOLOGIES
from provisioning.progress import Progress

HELP = f"""Run the gate again and again, and keep a line of each run in docs/soak.md.

Each variant is run until it has --runs lines at this revision (or since the one that you name); so a call that was ended goes on
where it was. Two runs with the same digest came to the same verdict in every scenario; where digests differ, every verdict that
ever differed is listed, with its reason and its evidence (kept in reports/soak). The exit code is the worst of the runs'.

Variants:

{chr(10).join(f"- `{variant.name}`: {variant.what}" for variant in VARIANTS.values())}
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
def main(
    runs: Annotated[int, typer.Option(min=1, help="How many lines of each variant.")] = 5,
    variant: Annotated[list[str] | None, typer.Option(help="Only these variants, in this order; may be given again.")] = None,
    topology: Annotated[str, typer.Option(help=f"{' or '.join(TOPOLOGIES)}.")] = DEFAULT_TOPOLOGY,
    check: Annotated[str, typer.Option(metavar="IDS", help="Only these checks, as in `pytest --check`; all by default.")] = "",
    since: Annotated[str, typer.Option(metavar="REVISION", help="Lines count from this revision on (default: this one).")] = "",
) -> None:
    """Run, and write lines."""
    if topology not in TOPOLOGIES:
        raise typer.BadParameter(f"{topology!r} is no topology; valid ones: {', '.join(TOPOLOGIES)}", param_hint="--topology")
    for name in variant or ():
        if name not in VARIANTS:
            raise typer.BadParameter(f"{name!r} is no variant; valid ones: {', '.join(VARIANTS)}", param_hint="--variant")
    if since and not is_known(since):
        raise typer.BadParameter(f"{since!r} is no revision of this project", param_hint="--since")
    logging.basicConfig(level=logging.ERROR)
    progress = Progress()
    all_of_them: list[Line] = []
    for name in variant or VARIANTS:
        wanted = Wanted(VARIANTS[name], topology, check, since)
        if there := wanted.there():
            progress.say(f"{name}: {len(there)} of {runs} runs are there already")
        for number in range(len(there), runs):
            title = f"{name}, run {number + 1} of {runs} on {topology}, begun {datetime.now(UTC):%H:%M} UTC"
            with progress.step(title) as step:
                try:
                    line, conclusion = wanted.run()
                except AcceptanceError as error:
                    progress.say(f"error: {error}")
                    raise typer.Exit(1) from error
                step.report(note=f"exit code {line.exit_code}, verdicts {line.digest}")
            progress.say(line.as_row())
            if conclusion:
                progress.say(f"  {conclusion}")
        all_of_them += wanted.there()
    _tell_differences(progress, all_of_them)
    raise typer.Exit(max(line.exit_code for line in all_of_them))


def _tell_differences(progress: Progress, seen: list[Line]) -> None:
    found = differences(line.seed for line in seen)
    for difference in found:
        for sentence in difference.sentences():
            progress.say(sentence)
    digests = {line.digest for line in seen}
    if not found and len(digests) > 1:
        progress.say(f"{len(digests)} digests; the records of the runs that differ are not kept on this machine")
    if len(digests) == 1:
        progress.say(f"{len(seen)} runs, one digest: every scenario came to the same verdict in all of them")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell has jobs in the background ignore Ctrl-C
        signal.signal(number, signal.default_int_handler)
    app(prog_name="python -m benchmarks.soak")
