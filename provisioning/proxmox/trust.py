"""Whom to trust for TLS: the host's CAs, those of a file, or the one certificate with a known fingerprint; never anybody."""

from __future__ import annotations

import atexit
import hashlib
import socket
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter

from model.errors import BadInput, LabUnavailable
from provisioning.proxmox.connection import ClusterEntry

WITHIN_SECONDS = 10.0


@dataclass(frozen=True)
class Trust:
    """What the clients are told.

    Attributes:
        ca_file: For proxmoxer, and for OpenTofu and its provider (`SSL_CERT_FILE`); None: what this host trusts.
        adapter: Of requests, where one certificate is trusted by its fingerprint.
        fetched: Whether the file was fetched, and goes again.
    """

    ca_file: Path | None
    adapter: HTTPAdapter | None = None
    fetched: bool = False

    def forget(self) -> None:
        """Remove what was fetched."""
        if self.fetched and self.ca_file is not None:
            self.ca_file.unlink(missing_ok=True)


class PinnedAdapter(HTTPAdapter):
    """Talks to whoever shows one certificate, and to nobody else."""

    def __init__(self, fingerprint: str) -> None:
        """Remember it."""
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have urllib3 compare."""
        super().init_poolmanager(*args, **kwargs, assert_fingerprint=self._fingerprint)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """No CA: the fingerprint says it all."""
        del verify
        super().cert_verify(conn, url, False, cert)  # type: ignore[no-untyped-call]  # noqa: FBT003 - requests' argument


def trust(entry: ClusterEntry, base: Path) -> Trust:
    """Find out whom to trust.

    Args:
        entry: From the lab file.
        base: Folder of the lab file.

    Raises:
        BadInput: There is no such CA file.
        LabUnavailable: The cluster does not answer, or shows another certificate than the one with the fingerprint.
    """
    if entry.ca_file is not None:
        file = base / entry.ca_file
        if not file.is_file():
            raise BadInput(f"cluster.ca_file: there is no {file}; it is /etc/pve/pve-root-ca.pem of any node")
        return Trust(file)
    if entry.fingerprint is None:
        return Trust(None)
    shown = _certificate(entry)
    seen = hashlib.sha256(shown).hexdigest()
    if seen != entry.fingerprint:
        raise LabUnavailable(f"{entry.endpoint} shows a certificate with the fingerprint {_pairs(seen)}, not {_pairs(entry.fingerprint)}")
    with tempfile.NamedTemporaryFile("w", prefix="tofu-ha-", suffix=".pem", delete=False) as written:
        written.write(ssl.DER_cert_to_PEM_cert(shown))
    atexit.register(Path(written.name).unlink, missing_ok=True)
    return Trust(Path(written.name), PinnedAdapter(entry.fingerprint), fetched=True)


def _certificate(entry: ClusterEntry) -> bytes:
    """What the cluster shows, whoever signed it."""
    host, port = entry.place
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), WITHIN_SECONDS) as line, context.wrap_socket(line, server_hostname=host) as secure:
            return secure.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise LabUnavailable(f"{entry.endpoint} does not answer: {error}") from error


def _pairs(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()
