"""`make mutate`: changes modules in one place at a time, and looks whether the unit tests notice."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tests.mutation.document import DOCUMENT, is_equivalent, row_of, write
from tests.mutation.ledger import Ledger, Verdict, digest_of, equivalents
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.reach import Reach, Recorder
from tests.mutation.trial import ROOT, Copy, Ended, Fate, load_libraries

PACKAGES = ("model", "probes")
APART = ("tests/unit/verdicts", "tests/unit/reports", "tests/unit/benchmarks", "tests/unit/setup", "tests/unit/collection/test_traps.py")
"""Tests that run programs, pytest above all."""

PLACE = ROOT / ".mutation"
RESULTS = PLACE / "results.ndjson"
LOOK_WITHIN_SECONDS = 600
NICE = 5
TOLD_EVERY_SECONDS = 20
NOT_RUN, INTERRUPTED = 1, 130
KILLING = frozenset({1, 2, 3, 4})
"""Exit codes of pytest that say that a test failed, or that tests could not even be collected."""

app = typer.Typer(add_completion=False)


def chosen(words: list[str]) -> list[str]:
    """Modules whose path holds one of the words, in the order of the words; all without words."""
    found = sorted(str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return list(dict.fromkeys(name for word in words or [""] for name in found if word in name))


class Sitting:
    """Mutants of some modules, one after the other."""

    def __init__(self, ledger: Ledger) -> None:
        """Copy the project, and learn what its tests run."""
        self._ledger, self._copy = ledger, Copy(PLACE / "copy")
        load_libraries()
        looked_at = sorted(each for folder in (*PACKAGES, "tests/unit") for each in (ROOT / folder).rglob("*.py"))
        into = PLACE / f"reach-{digest_of(looked_at)}.json"
        if not into.exists():
            self._look(into)
        self._reach = Reach.load(into)
        if self._reach.failed:
            typer.echo(f"left out, as they fail without any change: {', '.join(self._reach.failed)}")

    def _look(self, into: Path) -> None:
        arguments = ["tests/unit", *(f"--ignore={each}" for each in APART)]
        ended = self._copy.test(arguments, LOOK_WITHIN_SECONDS, [Recorder(PACKAGES, into)])
        if ended.code not in {0, 1} or not into.exists():
            typer.echo(f"the unit tests could not be run (exit code {ended.code}); see `make unit`", err=True)
            raise typer.Exit(NOT_RUN)
        typer.echo(f"the unit tests took {ended.seconds:.0f} s; what they run is known")

    def try_module(self, module: str) -> list[Verdict]:
        """Try all mutants of a module that nothing is known of; what is known of each then."""
        original = self._copy.place / module
        of = digest_of([original])
        mutants, told = list(mutants_of(original)), time.monotonic()
        verdicts = []
        for number, mutant in enumerate(mutants, 1):
            files = self._reach.files(module, mutant.line)
            by = digest_of(self._copy.place / name for name in files)
            known = self._ledger.find(module, mutant, of, by)
            if known is None:
                ended = self._try(module, mutant, files)
                fate = Fate.SURVIVED if ended.code == 0 else Fate.KILLED
                line = (mutant.line, mutant.was, mutant.becomes)
                known = Verdict(module, of, by, mutant.name, *line, fate, round(ended.seconds, 2))
                self._ledger.add(known)
            verdicts.append(known)
            if time.monotonic() - told > TOLD_EVERY_SECONDS:
                told = time.monotonic()
                typer.echo(f"  {module}: {number} of {len(mutants)}")
        return verdicts

    def _try(self, module: str, mutant: Mutant, files: list[str]) -> Ended:
        """What the tests say that run the line; no test at all notices nothing."""
        if not files:
            return Ended(0, 0.0)
        original = (self._copy.place / module).read_text(encoding="utf-8")
        self._copy.write(module, mutant.source)
        try:
            ended = self._copy.test(["-x", *files], self._reach.within(files))
        finally:
            self._copy.write(module, original)
        if ended.code not in {0, None, *KILLING}:
            typer.echo(f"  {module}:{mutant.line}: {mutant.becomes}: pytest ended with {ended.code}")
        return ended


def _revision() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", *PACKAGES, "tests/unit")
    return git("rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")


def _tell(verdicts: list[Verdict]) -> None:
    for each in verdicts:
        if each.fate is Fate.SURVIVED and not is_equivalent(each, equivalents()):
            typer.echo(f"{each.module}:{each.line} ({each.mutant})\n  - {each.was}\n  + {each.becomes}")


@app.command()
def main(
    modules: Annotated[list[str] | None, typer.Argument(help="Words of their paths; all without.")] = None,
    survivors: Annotated[bool, typer.Option("--survivors", help="Try nothing; tell what has survived.")] = False,
) -> None:
    """Change modules in one place at a time, and see whether the unit tests notice; keep a row for each in docs/mutation.md."""
    names, ledger = chosen(modules or []), Ledger(RESULTS)
    if survivors:
        for name in names:
            there = {mutant.name for mutant in mutants_of(ROOT / name)}
            _tell([each for each in ledger.of_module(name) if each.mutant in there])
        return
    os.nice(NICE)
    sitting, revision, known = Sitting(ledger), _revision(), equivalents()
    for number, name in enumerate(names, 1):
        try:
            verdicts = sitting.try_module(name)
        except KeyboardInterrupt:
            typer.echo("interrupted; the same command goes on from here")
            raise typer.Exit(INTERRUPTED) from None
        if not verdicts:
            continue
        row = row_of(name, verdicts, known, date=f"{datetime.now(UTC):%Y-%m-%d}", revision=revision)
        write([row], known, list(APART))
        typer.echo(f"{number:3}/{len(names)} {name}: {row.killed} of {row.mutants} killed, {row.survived} survived, {row.seconds} s")
    typer.echo(f"written: {DOCUMENT.relative_to(ROOT)}; what survived: python -m tests.mutation --survivors")


if __name__ == "__main__":
    app()
