"""What becomes of other programs' output on its way: cut, doubled, in another encoding or order, mixed with something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st

from model.errors import AcceptanceError

T = TypeVar("T")

NOISE = st.sampled_from(
    ["", " ", "\x00", "\ufeff", "\ufffd", "²", "\x85", "\u2028", "\x1b[31m", "-", "\t", '"', "'", "{", "[", "\\", "#", "=", "é", "9"]
)
"""What most often upsets a reader."""

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)
"""What people call things: any script, one line."""


@st.composite
def cut(draw: st.DrawFn, text: str) -> str:
    """The beginning, as when a connection ends; or the end, as when a buffer was too small."""
    at = draw(st.integers(0, len(text)))
    return text[:at] if draw(st.booleans()) else text[at:]


@st.composite
def shuffled(draw: st.DrawFn, text: str) -> str:
    """All lines, in another order."""
    return "".join(draw(st.permutations(text.splitlines(keepends=True))))


@st.composite
def interleaved(draw: st.DrawFn, text: str, other: str) -> str:
    """The lines of two programs on one terminal, each in its own order."""
    lines, others, mixed = text.splitlines(keepends=True), other.splitlines(keepends=True), []
    while lines and others:
        mixed.append((lines if draw(st.booleans()) else others).pop(0))
    return "".join([*mixed, *lines, *others])


@st.composite
def scratched(draw: st.DrawFn, text: str) -> str:
    """A few characters lost, or replaced by others."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(NOISE) + text[at + draw(st.integers(0, 3)) :]
    return text


def told_otherwise(text: str) -> st.SearchStrategy[str]:
    """Sent in one encoding and read in another, as programs do that decode with replacement."""
    return st.sampled_from(
        [
            text.encode().decode("latin-1"),
            text.encode("utf-16").decode("utf-8", errors="replace"),
            text.encode("latin-1", errors="replace").decode("utf-8", errors="replace"),
            f"\ufeff{text}",
            text.replace("\n", "\r\n"),
            text.replace("\n", "\r"),
        ]
    )


def damaged(text: str, other: str = "") -> st.SearchStrategy[str]:
    """A text to which one of all these things has happened."""
    return st.one_of(
        cut(text),
        shuffled(text),
        interleaved(text, other or text),
        scratched(text),
        told_otherwise(text),
        st.just(text + text),
        st.text(max_size=50),
    )


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Content of a file or an object to which one of all these things has happened."""
    text = content.decode()
    codings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"]
    recoded = st.sampled_from(codings).map(lambda coding: text.encode(coding, errors="replace"))
    deep = st.sampled_from([b"[" * 100_000, b'{"ID":' * 100_000])
    return draw(
        st.one_of(damaged(text).map(lambda each: each.encode("utf-8", errors="surrogateescape")), recoded, st.binary(max_size=40), deep)
    )


def read_or_refused(read: Callable[[], T], what: str) -> T | None:
    """What was read; None when it was refused with an error of ours that names what was read, and with no other."""
    try:
        return read()
    except AcceptanceError as error:
        if what not in str(error):
            raise
        return None
