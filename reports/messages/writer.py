"""Writes messages line by line, masked and flushed at once: what is written stays, whatever happens to the process."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cucumber_messages import Envelope

from model.secrets import SECRETS
from reports.messages.words import line_of

log = logging.getLogger(__name__)


class MessageWriter:
    """Appends to one file.

    Attributes:
        path: The file.
        broken: Why nothing can be written any more; empty while all is well.
    """

    def __init__(self, path: Path, prefix: str = "") -> None:
        """Write into this file, made when the first message comes.

        Args:
            path: The file.
            prefix: Begins every id that is made here, so that no two processes make the same.
        """
        self.path, self.broken, self._prefix, self._numbers = path, "", prefix, itertools.count(1)

    def new_id(self) -> str:
        """An id that nobody else has."""
        return f"{self._prefix}{next(self._numbers)}"

    def write(self, *envelopes: Envelope | Mapping[str, Any]) -> None:
        """Append messages; a disk that is full or read-only costs the record, never a verdict."""
        self.append(line_of(envelope) for envelope in envelopes)

    def append(self, lines: Iterable[str]) -> None:
        """Append lines that are messages already."""
        if self.broken:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(SECRETS.mask(line) + "\n" for line in lines)
        except OSError as error:
            self.broken = f"{self.path}: {error.strerror}"
            log.warning("the record ends here, as nothing can be written: %s; verdicts and exit code are not touched", self.broken)
