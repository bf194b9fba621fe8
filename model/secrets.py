"""Secrets are registered once and masked at every exit."""

from __future__ import annotations

import base64
import html
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "«secret»"
SHORTEST = 6
BITS_PER_BYTE, BITS_PER_DIGIT = 8, 6
"""A digit of base64 holds 6 bits: RFC 4648, section 4."""


class SecretStore:
    """Knows every secret of a run, in each form in which it may leak."""

    def __init__(self) -> None:
        """Start with none."""
        self._forms: frozenset[str] = frozenset()

    def register(self, value: str) -> str:
        """Remember a secret.

        Args:
            value: The secret; anything under six characters is refused, as masking it would garble every text.

        Returns:
            The value itself, so that a secret can be registered where it is made.

        Raises:
            ValueError: The value is too short to be masked.
        """
        if len(value) < SHORTEST:
            msg = f"a secret of under {SHORTEST} characters cannot be masked"
            raise ValueError(msg)
        self._forms |= {value, *_escaped(value), *_in_base64(value.encode())}
        return value

    def mask(self, text: str) -> str:
        """Replace every registered secret in a text; where secrets overlap, all of what any of them covers."""
        covered = sorted(span for form in self._forms for span in _spans(text, form))
        parts, done = [], 0
        for start, end in covered:
            if start >= done:
                parts += [text[done:start], MASK]
            done = max(done, end)
        return "".join([*parts, text[done:]])

    def mask_all(self, data: Any) -> Any:
        """Mask every text of plain data, names included: what is escaped once more later on would not be found any more."""
        if isinstance(data, str):
            return self.mask(data)
        if isinstance(data, dict):
            return {self.mask_all(name): self.mask_all(value) for name, value in data.items()}
        return [self.mask_all(entry) for entry in data] if isinstance(data, list) else data


def _spans(text: str, form: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _escaped(value: str) -> Iterator[str]:
    """As URLs, JSON, Python, the shell and HTML write it."""
    for in_url in (quote(value), quote(value, safe=""), quote_plus(value)):
        yield in_url
        yield _lower_escapes(in_url)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield value.replace("'", "'\"'\"'")  # shlex.quote
    yield html.escape(value)


def _lower_escapes(quoted: str) -> str:
    """A quoted text with the hexadecimal digits of its escapes in lower case, as some clients write them."""
    head, *escapes = quoted.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in escapes)])


def _in_base64(value: bytes) -> Iterator[str]:
    """Alone, and inside of something longer (`user:password`): the digits that hold nothing but the secret."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value).decode().rstrip("=")
        for before in range(3):
            first = -(-before * BITS_PER_BYTE // BITS_PER_DIGIT)
            last = (before + len(value)) * BITS_PER_BYTE // BITS_PER_DIGIT
            yield encode(bytes(before) + value).decode()[first:last]


SECRETS = SecretStore()


class MaskingFilter(logging.Filter):
    """Masks what goes through logging."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's message, traceback and stack; never drops one."""
        record.msg, record.args = SECRETS.mask(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = SECRETS.mask(record.exc_text)  # a formatter takes this instead of the exception
        if record.stack_info:
            record.stack_info = SECRETS.mask(record.stack_info)
        return True
