"""Writes docs/mutation.md: a row per module, kept from earlier runs where a module was not tried again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.mutation.ledger import Equivalent, Verdict
from tests.mutation.trial import ROOT, Fate

DOCUMENT = ROOT / "docs" / "mutation.md"
HEADER = "| module | mutants | killed | survived | equivalent | score | date | revision | seconds |"
RULE = "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- | ---: |"
TEXT = """# Would a test notice?

Written by `make mutate`. Each module of `model/` and `probes/` is changed in one place at a time (a comparison turned round, a number moved
by one, an `and` for an `or`, a loop that is never entered), and those tests in `tests/unit` are run that run the changed line. A change
that none of them notices has *survived*: nobody would notice it if somebody made it by mistake. *Equivalent* are changes that make no
difference, named below with the reason; the *score* is the share of all others that was killed. *Revision* is that of the module and its
tests when the row was made; a module without a row has not been tried yet.

    make mutate                                      # all modules; goes on where it was ended, one process, at low priority
    make mutate MODULES='model/verdicts.py lock'     # those whose path holds one of the words
    .venv/bin/python -m tests.mutation --survivors   # what survived, line by line

Tests that run programs of their own, pytest above all (`{apart}`), are not counted: nobody sees from here which lines they run, and
each takes seconds. Code that only they run scores lower than it deserves.
"""


@dataclass(frozen=True)
class Row:
    """What became of the mutants of one module."""

    module: str
    mutants: int
    killed: int
    survived: int
    equivalent: int
    date: str
    revision: str
    seconds: int

    @property
    def score(self) -> str:
        """Killed, of those that can be."""
        able = self.mutants - self.equivalent
        return f"{100 * self.killed / able:.0f} %" if able else "none"

    def __str__(self) -> str:
        """As it stands in the table."""
        told = (
            f"`{self.module}`",
            self.mutants,
            self.killed,
            self.survived,
            self.equivalent,
            self.score,
            self.date,
            f"`{self.revision}`",
            self.seconds,
        )
        return f"| {' | '.join(map(str, told))} |"

    @classmethod
    def read(cls, line: str) -> Row:
        """Read a line of the table."""
        module, *numbers, _, date, revision, seconds = (cell.strip(" `") for cell in line.strip().strip("|").split("|"))
        mutants, killed, survived, equivalent = map(int, numbers)
        return cls(module, mutants, killed, survived, equivalent, date, revision, int(seconds))


def row_of(module: str, verdicts: list[Verdict], known: list[Equivalent], *, date: str, revision: str) -> Row:
    """Count what became of a module's mutants."""
    survived = [each for each in verdicts if each.fate is Fate.SURVIVED]
    excused = [each for each in survived if is_equivalent(each, known)]
    seconds = round(sum(each.seconds for each in verdicts))
    return Row(module, len(verdicts), len(verdicts) - len(survived), len(survived) - len(excused), len(excused), date, revision, seconds)


def is_equivalent(verdict: Verdict, known: list[Equivalent]) -> bool:
    """Whether somebody has said that a mutant makes no difference."""
    return any((each.module, each.was, each.becomes) == (verdict.module, verdict.was, verdict.becomes) for each in known)


def rows(path: Path = DOCUMENT) -> dict[str, Row]:
    """Rows of the document, by module."""
    if not path.exists():
        return {}
    found = (Row.read(line) for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| `"))
    return {row.module: row for row in found}


def write(fresh: list[Row], known: list[Equivalent], apart: list[str], path: Path = DOCUMENT) -> None:
    """Write the document anew, with fresh rows in place of older ones."""
    there = rows(path) | {row.module: row for row in fresh}
    table = [str(there[name]) for name in sorted(there) if (ROOT / name).exists()]
    kept = [there[name] for name in there if (ROOT / name).exists()]
    able, killed = sum(row.mutants - row.equivalent for row in kept), sum(row.killed for row in kept)
    total = f"All of them: {killed} of {able} that can be noticed are ({100 * killed / able:.1f} %)." if able else ""
    told = [f"- `{each.module}`: `{each.was}` → `{each.becomes}`: {each.why}" for each in known]
    parts = [
        TEXT.format(apart="`, `".join(apart)),
        "\n".join([HEADER, RULE, *table, "", total]),
        "\n## Changes that make no difference\n\n" + ("\n".join(told) or "None so far."),
    ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
