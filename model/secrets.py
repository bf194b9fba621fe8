"""Secrets are registered once and masked at every exit."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote

MASK = "«secret»"
SHORTEST = 6


class SecretStore:
    """Knows every secret of a run, in each form in which it may leak."""

    def __init__(self) -> None:
        """Start with none."""
        self._forms: set[str] = set()

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
        forms = [value, quote(value, safe=""), base64.b64encode(value.encode()).decode().rstrip("="), json.dumps(value)[1:-1]]
        self._forms.update(forms)
        return value

    def mask(self, text: str) -> str:
        """Replace every registered secret in a text."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        return text


SECRETS = SecretStore()


class MaskingFilter(logging.Filter):
    """Masks what goes through logging."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's message; never drops one."""
        record.msg, record.args = SECRETS.mask(record.getMessage()), ()
        return True
