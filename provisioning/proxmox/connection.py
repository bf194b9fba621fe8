"""How to reach a cluster, as lab files say it."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from provisioning.existing.secret import Secret
from provisioning.existing.tables import File, Table

PORT = 8006
TOKEN_ID = r"^[^@!\s]+@[A-Za-z0-9._-]+![A-Za-z0-9._-]+$"  # noqa: S105 - the form of a token's id


def _endpoint(text: str) -> str:
    parts = urlsplit(text if "//" in text else f"https://{text}")
    if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query:
        msg = f"{text!r} is no endpoint of a cluster: give https://HOST:{PORT}"
        raise ValueError(msg)
    return f"https://{parts.hostname}:{parts.port or PORT}"


def _fingerprint(text: str) -> str:
    digits = text.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        msg = "a fingerprint is SHA-256, 32 pairs of hexadecimal digits: `pvenode cert info` shows it"
        raise ValueError(msg)
    return digits


class ClusterEntry(Table):
    """A cluster of Proxmox VE, and who we are there.

    Attributes:
        endpoint: Its API, at any of its nodes.
        token_id: `USER@REALM!NAME` of an API token.
        token: The token's secret.
        ca_file: Whom to trust for TLS, beside those that this host trusts.
        fingerprint: SHA-256 of the one certificate that is trusted, instead.
        within: Seconds that a request may take; a cluster passes requests on between nodes for up to 30 s.
    """

    endpoint: Annotated[str, AfterValidator(_endpoint)]
    token_id: str = Field(pattern=TOKEN_ID)
    token: Secret
    ca_file: File | None = None
    fingerprint: Annotated[str, AfterValidator(_fingerprint)] | None = None
    within: float = Field(default=60, gt=0)

    @model_validator(mode="after")
    def _one_trust(self) -> ClusterEntry:
        if self.ca_file is not None and self.fingerprint is not None:
            msg = "give `ca_file` or `fingerprint`, not both"
            raise ValueError(msg)
        return self

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.endpoint)
        return parts.hostname or "", parts.port or PORT
