"""Whom to trust where TLS is spoken, and why a certificate is not trusted, in words that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from urllib3.util.ssl_match_hostname import CertificateError

DEBIANS = Path("/etc/ssl/certs/ca-certificates.crt")
"""Whom this host trusts, in one file (Debian's `ca-certificates`)."""

EXPIRED, NOT_YET, SELF_SIGNED, OTHER_NAME, OTHER_ADDRESS = 10, 9, 18, 62, 64
ELSEWHERE = "its certificate is for other names or addresses than this one; have one made for it"
UNKNOWN_ISSUER = (2, 19, 20, 21)
MEANINGS = {
    EXPIRED: "its certificate has expired; renew it",
    NOT_YET: "its certificate is not valid yet; see the clocks of both sides",
    SELF_SIGNED: "its certificate is signed by itself, and by nobody who is trusted; store.ca_file has to hold that certificate",
    OTHER_NAME: ELSEWHERE,
    OTHER_ADDRESS: ELSEWHERE,
} | dict.fromkeys(UNKNOWN_ISSUER, "its certificate is signed by a CA that is not trusted; store.ca_file has to hold that CA's certificate")
"""What OpenSSL found wrong (`X509_V_ERR_…`, openssl-verification-options(1)), and what it means for who reads it."""

PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")


def context_for(ca_file: Path | None) -> ssl.SSLContext:
    """How to speak TLS.

    Args:
        ca_file: Whose certificates are trusted, nobody else's; None for those whom this host trusts.
    """
    return ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)


def bundle_for(ca_file: Path | None) -> str | bool:
    """The same for clients that want a file; True where they have to know themselves."""
    if ca_file is not None:
        return str(ca_file)
    own = ssl.get_default_verify_paths().cafile
    return own or (str(DEBIANS) if DEBIANS.is_file() else True)


def why_untrusted(error: BaseException) -> str:
    """Why TLS failed, in words; empty where something else did."""
    for link in _chain(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            return MEANINGS.get(link.verify_code, f"its certificate is not trusted: {link.verify_message}")
        if isinstance(link, CertificateError):
            return ELSEWHERE
        if isinstance(link, ssl.SSLError):
            reason = getattr(link, "reason", None)  # only errors of OpenSSL have one
            return "it does not speak TLS; put store.tls right" if reason in PLAIN else f"TLS failed: {reason or link}"
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it came from."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        yield cause
        inner = [getattr(cause, "reason", None), *cause.args]
        cause = next((each for each in inner if isinstance(each, BaseException)), None) or cause.__cause__ or cause.__context__
