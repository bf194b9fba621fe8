"""What became of each mutant, kept while the run goes on, so that one that was ended goes on where it was."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant
from tests.mutation.trial import ROOT, Fate

EQUIVALENT = Path(__file__).parent / "equivalent.toml"


def digest_of(files: Iterable[Path]) -> str:
    """Of the content of files."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant.

    Attributes:
        module: Whose.
        of: Digest of the module.
        by: Digest of the files of tests that could have noticed.
        mutant: Its name.
        line: What was changed, and to what: `was`, `becomes` and the number of the line.
        fate: Killed or survived.
        seconds: How long that took.
    """

    module: str
    of: str
    by: str
    mutant: str
    line: int
    was: str
    becomes: str
    fate: Fate
    seconds: float

    def counts(self, of: str, by: str) -> bool:
        """Whether it still says something: survivors get another chance when tests change, those that were killed stay dead."""
        return self.of == of and (self.fate is Fate.KILLED or self.by == by)


class Ledger:
    """A line for every verdict, the newest last."""

    def __init__(self, path: Path) -> None:
        """Read what is there."""
        self._path = path
        self._known: dict[tuple[str, str], Verdict] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._note(Verdict(**json.loads(line)))

    def _note(self, verdict: Verdict) -> None:
        if not isinstance(verdict.fate, Fate):
            verdict = Verdict(**{**asdict(verdict), "fate": Fate(verdict.fate)})
        self._known[verdict.module, verdict.mutant] = verdict

    def find(self, module: str, mutant: Mutant, of: str, by: str) -> Verdict | None:
        """What is known of a mutant; None when that is nothing, or of another module or other tests."""
        found = self._known.get((module, mutant.name))
        return found if found is not None and found.counts(of, by) else None

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")
        self._note(verdict)

    def of_module(self, module: str) -> list[Verdict]:
        """All verdicts that are about a module as it is now, by line."""
        now = digest_of([ROOT / module])
        return sorted((each for each in self._known.values() if each.module == module and each.of == now), key=lambda each: each.line)


@dataclass(frozen=True)
class Equivalent:
    """A mutant that nobody could tell from the original.

    Attributes:
        module: Whose.
        was: The line before.
        becomes: The line after.
        why: It makes no difference.
    """

    module: str
    was: str
    becomes: str
    why: str


def equivalents() -> list[Equivalent]:
    """Those that somebody has looked at."""
    return [Equivalent(**each) for each in tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])]
