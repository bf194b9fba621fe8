"""OpenTofu's refusals about the state lock, read from what a person sees.

Facts: `internal/command/clistate/state.go` and `internal/states/statemgr/locker.go` of OpenTofu 1.12. Every error of
the lock request prints *Error acquiring the state lock*, whatever its cause: only status 412 together with the
holder's data means that somebody holds the lock. *Error releasing the state lock* may carry a `Lock Info` block too,
and then names a holder although the command was let in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from model.errors import Unreadable
from probes.json_objects import EXCERPT, read_object, value_of

ACQUIRING = "Error acquiring the state lock"
RELEASING = "Error releasing the state lock"
UNLOCKING = "Failed to unlock state"
PRECONDITION_FAILED = "PreconditionFailed"
LOCK_OBJECT = "lock object"
FIELDS = ("ID", "Path", "Operation", "Who", "Version", "Created", "Info")

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BOX = re.compile(r"^[│╷╵|] ?", re.MULTILINE)
_SUMMARY = re.compile(f"{ACQUIRING}|{RELEASING}|{UNLOCKING}")
_STATUS = re.compile(r"StatusCode: (\d{3})")
_CODE = re.compile(r"StatusCode: \d{3}.*?(?:api error |, )(?!RequestID|HostID)(\w+): ")
_INFO_FIELD = re.compile(rf"^ +({'|'.join(FIELDS)}): *(.*?) *$", re.MULTILINE)
_INFO_BLOCK = re.compile(r"^Lock Info:\n((?:^ +\w+:.*\n)+(?:^ +Info: *\Z)?)", re.MULTILINE)
"""A line without an end was cut, but for the last one, which is normally empty."""


@dataclass(frozen=True)
class LockInfo:
    """Who holds a lock, as the lock object or an error message says.

    Attributes:
        id: The lock's ID, what `force-unlock` wants.
        path: Bucket and key of the state, without `.tflock`.
        operation: What the holder is doing (`OperationTypeApply`).
        who: `user@hostname` of the holder.
        version: The holder's OpenTofu.
        created: When, as written (RFC 3339 in the object, Go's notation in messages).
        info: Normally empty.
    """

    id: str
    path: str = ""
    operation: str = ""
    who: str = ""
    version: str = ""
    created: str = ""
    info: str = ""

    @property
    def hostname(self) -> str:
        """The holder's machine, from `who`."""
        return self.who.rpartition("@")[2]

    @classmethod
    def from_json(cls, content: bytes) -> LockInfo:
        """Read a lock object.

        Args:
            content: The object `<state key>.tflock`.

        Raises:
            Unreadable: It is no lock object (no JSON, without an ID, or with a value that is no text).
        """
        data = read_object(content, LOCK_OBJECT)
        said = {name: value_of(data, name, str, LOCK_OBJECT) for name in FIELDS if name in data}
        if not said.get("ID"):
            raise Unreadable(f"no {LOCK_OBJECT}: {content[:EXCERPT]!r}")
        return cls._from_fields(said)

    @classmethod
    def _from_fields(cls, said: Mapping[str, str]) -> LockInfo:
        return cls(**{name.lower(): said.get(name, "") for name in FIELDS})


@dataclass(frozen=True)
class LockError:
    """A refusal that has to do with the state lock.

    Attributes:
        summary: `Error acquiring the state lock`, `Error releasing the state lock` or `Failed to unlock state`.
        status_code: HTTP status of the store's first answer in the message; None where it names none.
        code: The store's error code (`PreconditionFailed`, `AccessDenied`); empty where it names none.
        info: The holder named in the message; None without a `Lock Info` block.
        text: The message, white space normalised.
    """

    summary: str
    status_code: int | None = None
    code: str = ""
    info: LockInfo | None = None
    text: str = ""

    @property
    def acquiring(self) -> bool:
        """Whether the command was refused the lock (and not merely failed to give it back)."""
        return self.summary == ACQUIRING

    @property
    def held_by_someone(self) -> bool:
        """Whether the lock was refused because somebody holds it, and the message says who."""
        return (
            self.acquiring
            and self.status_code == HTTPStatus.PRECONDITION_FAILED
            and self.code == PRECONDITION_FAILED
            and self.info is not None
        )

    def __str__(self) -> str:
        """Summary, cause and holder in one line."""
        cause = " ".join(str(part) for part in (self.status_code, self.code) if part)
        holder = f"held by {self.info.who} for {self.info.operation}, ID {self.info.id}" if self.info else "no holder named"
        return f"{self.summary} ({cause or 'no status'}; {holder})"


def normalise(output: str) -> str:
    """Remove colours, the box round diagnostics and carriage returns; lines stay lines."""
    return _BOX.sub("", _COLOUR.sub("", output).replace("\r", ""))


def parse_lock_error(output: str) -> LockError | None:
    """Find the refusal in the output of a command.

    Args:
        output: Both streams; text (any width, coloured or not) or `-json` lines.

    Returns:
        The first refusal about the lock; None when the output has none.
    """
    text = _details_of_json(output) or normalise(output)
    found = _SUMMARY.search(text)
    if found is None:
        return None
    following = _SUMMARY.search(text, found.end())
    message = text[found.start() : following.start() if following else None]
    flat = " ".join(message.split())
    before_info = flat.partition("Lock Info:")[0]
    status, code = _STATUS.search(before_info), _CODE.search(before_info)
    return LockError(
        summary=found.group(),
        status_code=int(status.group(1)) if status else None,
        code=code.group(1) if code else "",
        info=_lock_info(message),
        text=flat,
    )


def _lock_info(message: str) -> LockInfo | None:
    block = _INFO_BLOCK.search(message)
    if block is None:
        return None
    said: list[tuple[str, str]] = _INFO_FIELD.findall(block.group(1))
    fields = dict(said)
    if not fields.get("ID") or len(fields) != len(said):  # two blocks in one: who says which line?
        return None
    return LockInfo._from_fields(fields)  # noqa: SLF001 - same module


def _details_of_json(output: str) -> str:
    """Collect the error diagnostics of `-json` output; empty when it is text."""
    details = []
    for line in output.split("\n"):
        if not line.startswith('{"@level"'):
            continue
        try:
            diagnostic = json.loads(line).get("diagnostic")
        except (ValueError, RecursionError):
            continue
        if isinstance(diagnostic, dict) and diagnostic.get("severity") == "error":
            details.append(f"{diagnostic.get('summary', '')}\n\n{diagnostic.get('detail', '')}")
    return "\n".join(details)
