"""Reads what Go wrote into a program about its modules, without Go.

Source of the format: Go's `debug/buildinfo` (magic, pointer size, flags; since Go 1.18 two strings with varint lengths at offset 32, the
second one framed by 16 bytes on each side).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path

_MAGIC = b"\xff Go buildinf:"
_ALIGNMENT = 16
_FLAGS_AT = 15
_INLINE_STRINGS = 2
_STRINGS_AT = 32
_FRAME = 16
_LONGEST = 1 << 20


def modules(path: Path) -> Mapping[str, str]:
    """Versions of the modules that a Go program was built from.

    Args:
        path: The program.

    Returns:
        Version by module path; empty when the file is no Go program, or says nothing (built without modules).
    """
    if path.stat().st_size < _STRINGS_AT:
        return {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for text in _candidates(data):
            found = _parse(text)
            if found:
                return found
    return {}


def _candidates(data: mmap.mmap) -> Iterator[str]:
    """Each place that looks like build information; a program that reads such information holds the magic too."""
    at = data.find(_MAGIC)
    while at >= 0:
        if at % _ALIGNMENT == 0 and data[at + _FLAGS_AT] & _INLINE_STRINGS:
            length, start = _varint(data, at + _STRINGS_AT)
            length, start = _varint(data, start + length)
            if 2 * _FRAME < length < _LONGEST:
                yield data[start + _FRAME : start + length - _FRAME].decode(errors="replace")
        at = data.find(_MAGIC, at + 1)


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:  # noqa: PLR2004 - longest varint
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - last byte of a varint
            break
    return value, at


def _parse(text: str) -> dict[str, str]:
    """Lines of `mod` and `dep`: kind, path, version, sum, separated by tabs; `=>` replaces the line before."""
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        kind, *fields = line.split("\t")
        if kind in {"mod", "dep"} and len(fields) > 1:
            last = fields[0]
            found[last] = fields[1]
        elif kind == "=>" and last and len(fields) > 1:
            found[last] = fields[1]
    return found
