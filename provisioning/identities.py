"""Keys of a lab: the host CA, a host key and certificate per machine, and the key that logs in."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_private_key,
)

VALID_SECONDS = 10 * 365 * 24 * 3600


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _private(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


@dataclass(frozen=True)
class HostIdentity:
    """A machine's host key, and the certificate that says whose it is."""

    private_key: str = field(repr=False)
    public_key: str
    certificate: str


class HostAuthority:
    """The lab's host CA: clients that trust it recognise every machine behind one address."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Wrap a key; use `create` or `load`."""
        self._key = key

    @classmethod
    def create(cls, folder: Path) -> HostAuthority:
        """Make a new CA and keep it in `folder/host_ca` (mode 0600)."""
        key = Ed25519PrivateKey.generate()
        write_private(folder / "host_ca", _private(key))
        return cls(key)

    @classmethod
    def load(cls, folder: Path) -> HostAuthority:
        """Read a CA that `create` kept."""
        key = load_ssh_private_key((folder / "host_ca").read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            msg = f"{folder / 'host_ca'} holds no Ed25519 key"
            raise TypeError(msg)
        return cls(key)

    @property
    def public_key(self) -> str:
        """In OpenSSH's format."""
        return _public(self._key)

    def known_hosts_line(self, patterns: Sequence[str]) -> str:
        """What a client puts into `known_hosts` to recognise every machine (`[address]:port` for other ports than 22)."""
        return f"@cert-authority {','.join(patterns)} {self.public_key}\n"

    def issue(self, name: str, principals: Sequence[str]) -> HostIdentity:
        """A new host key, signed for the names and addresses under which clients reach the machine.

        Source: ssh-keygen(1), CERTIFICATES; principals carry no port.
        """
        key = Ed25519PrivateKey.generate()
        now = int(time.time())
        certificate = (
            SSHCertificateBuilder()
            .public_key(key.public_key())
            .serial(now)
            .type(SSHCertificateType.HOST)
            .key_id(name.encode())
            .valid_principals([principal.encode() for principal in principals])
            .valid_after(now - 3600)
            .valid_before(now + VALID_SECONDS)
            .sign(self._key)
        )
        return HostIdentity(_private(key), _public(key), certificate.public_bytes().decode())


def create_login_key(folder: Path) -> tuple[Path, str]:
    """Make the key that logs in to the lab's machines.

    Returns:
        The private key's path (`folder/login`, mode 0600) and the public key.
    """
    key = Ed25519PrivateKey.generate()
    write_private(folder / "login", _private(key))
    (folder / "login.pub").write_text(_public(key) + "\n")
    return folder / "login", _public(key)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on, whatever was there before."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
