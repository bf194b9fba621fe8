"""Certificates for tests: a CA, and what it signs."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, in PEM form."""

    certificate: str
    key: str

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both; where they are."""
        files = folder / f"{name}.crt", folder / f"{name}.key"
        for path, text in zip(files, (self.certificate, self.key), strict=True):
            path.write_text(text, encoding="utf-8")
        return files


class Authority:
    """A CA of a test's own."""

    def __init__(self, name: str = "tests") -> None:
        """Make it."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA of {name}")])
        made = _builder(self._name, self._name, self._key, -DAY, 9 * DAY)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = _pem(made.sign(self._key, hashes.SHA256()))

    def issue(self, *addresses: str, ends: dt.timedelta = 9 * DAY) -> Issued:
        """Sign a certificate.

        Args:
            addresses: Whose it is.
            ends: When, from now.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        return _issued(key, _builder(_named(addresses), self._name, key, -2 * DAY, ends), addresses, self._key)


def self_signed(*addresses: str) -> Issued:
    """A certificate that nobody signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _issued(key, _builder(_named(addresses), _named(addresses), key, -DAY, 9 * DAY), addresses, key)


def _named(addresses: tuple[str, ...]) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, addresses[0])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: dt.timedelta, ends: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )


def _issued(
    key: ec.EllipticCurvePrivateKey, builder: x509.CertificateBuilder, addresses: tuple[str, ...], signer: ec.EllipticCurvePrivateKey
) -> Issued:
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(each)) for each in addresses])
    certificate = builder.add_extension(names, critical=False).sign(signer, hashes.SHA256())
    return Issued(_pem(certificate), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
