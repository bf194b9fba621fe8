"""Evidence as attachments: short texts go into the record, everything else lies beside it and is linked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from model.secrets import SECRETS
from reports.messages.words import LINK, PLAIN
from reports.record import is_binary

EMBEDDED_BYTES = 8_192
"""Texts up to here are embedded; journals are longer, and a run has dozens of them."""


def files_of(folder: Path, run_folder: Path) -> Iterator[tuple[str, str, str]]:
    """Every file of a scenario's evidence.

    Args:
        folder: Of the scenario; it may not exist.
        run_folder: From which links are told.

    Yields:
        Body, media type and name.
    """
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        try:
            if path.stat().st_size <= EMBEDDED_BYTES and not is_binary(path):
                yield SECRETS.mask(path.read_text(encoding="utf-8")), PLAIN, name
            else:
                yield quote(path.relative_to(run_folder).as_posix()), LINK, name
        except OSError as error:
            yield f"{name} cannot be read: {error.strerror}", PLAIN, name
