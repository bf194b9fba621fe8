"""What a run owes to a lab that is not ours, written down before it is owed: lines of JSON that survive the run.

A run that is killed cannot heal. Whoever reads its journal can: `python -m provisioning heal`.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from model.errors import BadInput
from model.remedy import Remedy

PATTERN = "journal*.ndjson"


@dataclass(frozen=True)
class Began:
    """A run begins to work in a lab.

    Attributes:
        run: Its id.
        lab: Name of the lab.
        lab_file: Where the lab file is.
        own: How the keys of the run's objects begin.
        at: When (ISO 8601, UTC).
        event: Which kind of line this is; as below.
    """

    run: str
    lab: str
    lab_file: str
    own: str
    at: str = ""
    event: Literal["began"] = "began"


@dataclass(frozen=True)
class Broke:
    """A fault is about to be injected.

    Attributes:
        fault: Its number in this run.
        what: In a reader's words.
        remedies: What undoes it, in order.
        at: When.
    """

    fault: int
    what: str
    remedies: tuple[Remedy, ...]
    at: str = ""
    event: Literal["broke"] = "broke"


@dataclass(frozen=True)
class Healed:
    """A fault was undone.

    Attributes:
        fault: Its number.
        by: Who did it: the run, or whoever repaired the lab after it.
        at: When.
    """

    fault: int
    by: str = "run"
    at: str = ""
    event: Literal["healed"] = "healed"


@dataclass(frozen=True)
class Ended:
    """Nothing is owed any more: the run ended, or somebody repaired the lab after it."""

    by: str = "run"
    at: str = ""
    event: Literal["ended"] = "ended"


Entry = Began | Broke | Healed | Ended
LINE: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="event")])


class Journal:
    """The journal of a living run; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Open it, to add to it.

        Raises:
            BlockingIOError: The run that writes it is alive.
            OSError: It cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise

    def write(self, entry: Entry) -> None:
        """Add a line, and see that it is on the disk before anything else happens."""
        fields: dict[str, Any] = asdict(entry) | {"at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        self._file.write(json.dumps(fields, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go."""
        self._file.close()


@dataclass
class Debt:
    """What a run owes.

    Attributes:
        path: Its journal.
        began: Whose and where; None when even that was not written.
        broken: Faults that were not undone, in order.
        ended: Whether it said that nothing is owed.
    """

    path: Path
    began: Began | None = None
    broken: dict[int, Broke] = field(default_factory=dict)
    ended: bool = False


def read_journal(path: Path) -> Debt:
    """Read a journal; a last line that was not written to its end is left out, as nothing was done after it.

    Raises:
        BadInput: It cannot be read, or another line is no entry.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    debt = Debt(path)
    for number, line in enumerate(lines[:-1], start=1):
        try:
            _note(debt, LINE.validate_json(line))
        except ValidationError as error:
            raise BadInput(f"{path}:{number} is no line of a journal: {error.errors()[0]['msg']}") from error
    return debt


def _note(debt: Debt, entry: Entry) -> None:
    match entry:
        case Began():
            debt.began = entry
        case Broke():
            debt.broken[entry.fault] = entry
        case Healed():
            debt.broken.pop(entry.fault, None)
        case Ended():
            debt.ended = True


def file_name(worker: str = "") -> str:
    """What a journal is called; each of several processes of a run has its own."""
    return f"journal-{worker}.ndjson" if worker else "journal.ndjson"


def is_alive(path: Path) -> bool:
    """Whether the run that writes a journal lives."""
    try:
        Journal(path).close()
    except BlockingIOError:
        return True
    return False


def owes(folder: Path) -> bool:
    """Whether the run of a folder owes something to a lab, or it cannot be told."""
    try:
        return any(not read_journal(path).ended for path in folder.glob(PATTERN))
    except BadInput:
        return True


def unsettled(runs: Path, lab_file: Path | None = None) -> Iterator[Debt]:
    """What runs that died owe, the newest first.

    Args:
        runs: The folder that holds one folder per run.
        lab_file: Only in this lab.
    """
    for path in sorted(runs.glob(f"*/{PATTERN}"), reverse=True):
        debt = read_journal(path)
        elsewhere = lab_file is not None and (debt.began is None or debt.began.lab_file != str(lab_file))
        if not debt.ended and not elsewhere and not is_alive(path):
            yield debt
