"""A store that speaks TLS is trusted as the lab file says by every client of ours, and what is wrong with its certificate is told."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from model.lab import Store
from model.topology import Address
from probes import health, trust
from probes.http import Web
from probes.lock_race import Racing, race
from probes.store import StoreProbe
from probes.trust import bundle_for, why_untrusted
from tests.certificates import DAY, Authority, Issued, self_signed
from tests.serving import ANY_PORT, HERE, Quiet, serving

OURS = Authority("ours")
BY_ANOTHER_CA = "its certificate is signed by a CA that is not trusted; store.ca_file has to hold that CA's certificate"


class Empty(Quiet):
    """A store in which nothing is, and that takes everything."""

    protocol_version = "HTTP/1.1"

    def _answer(self, content: bytes = b"") -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Whatever is asked."""
        self._answer(b"<VersioningConfiguration/>")

    do_PUT = _answer


@contextmanager
def a_store(folder: Path, issued: Issued | None) -> Iterator[Address]:
    """A store on this host, with a certificate or plain."""
    server = ThreadingHTTPServer(ANY_PORT, Empty)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust hangs up
    if issued is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*issued.write(folder, "store"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as address:
        yield address


def store_at(address: Address, folder: Path, ca: str | None) -> Store:
    """As a lab file has it."""
    path = None if ca is None else folder / "ca.pem"
    if path is not None:
        path.write_text(ca or "", encoding="utf-8")
    return Store(address, "states", "key", "secret", secure=True, ca_file=path)


def by_minio(store: Store) -> tuple[str, str]:
    error = StoreProbe(store).versioning().error
    return (error.code, error.message) if error else ("", "")


def by_boto3(store: Store) -> tuple[str, str]:
    error = StoreProbe(store).conditional_put("acceptance/x", b"").error
    return (error.code, error.message) if error else ("", "")


def by_page(store: Store) -> tuple[str, str]:
    seen = health.live(store.endpoint, of=store)
    return ("", "") if seen.ok else (seen.reached.value, seen.detail)


CLIENTS = pytest.mark.parametrize("client", [by_minio, by_boto3, by_page])
Client = Callable[[Store], tuple[str, str]]


@CLIENTS
def test_a_store_of_the_right_ca_is_trusted(tmp_path: Path, client: Client) -> None:
    with a_store(tmp_path, OURS.issue(HERE)) as address:
        assert client(store_at(address, tmp_path, OURS.certificate)) == ("", "")


@CLIENTS
def test_a_certificate_that_signed_itself_is_trusted_where_it_is_given(tmp_path: Path, client: Client) -> None:
    issued = self_signed(HERE)
    with a_store(tmp_path, issued) as address:
        assert client(store_at(address, tmp_path, issued.certificate)) == ("", "")


@CLIENTS
@pytest.mark.parametrize(
    ("issued", "ca", "words"),
    [
        (OURS.issue(HERE), Authority("another").certificate, BY_ANOTHER_CA),
        (OURS.issue(HERE), None, BY_ANOTHER_CA),
        (
            self_signed(HERE),
            None,
            "its certificate is signed by itself, and by nobody who is trusted; store.ca_file has to hold that certificate",
        ),
        (OURS.issue(HERE, ends=-DAY), OURS.certificate, "its certificate has expired; renew it"),
        (OURS.issue("10.9.9.9"), OURS.certificate, "its certificate is for other names or addresses than this one; have one made for it"),
    ],
    ids=["another CA", "no CA given", "self-signed", "expired", "another address"],
)
def test_why_it_is_not_trusted_is_told(tmp_path: Path, client: Client, issued: Issued, ca: str | None, words: str) -> None:
    with a_store(tmp_path, issued) as address:
        assert client(store_at(address, tmp_path, ca)) == (Web.UNTRUSTED, words)


@CLIENTS
def test_a_store_that_speaks_no_tls_is_told(tmp_path: Path, client: Client) -> None:
    with a_store(tmp_path, None) as address:
        code, words = client(store_at(address, tmp_path, OURS.certificate))
    assert (code, words) == (Web.UNTRUSTED, "it does not speak TLS; put store.tls right")


def test_writers_race_over_tls(tmp_path: Path) -> None:
    with a_store(tmp_path, OURS.issue(HERE)) as address:
        seen = race(
            store_at(address, tmp_path, OURS.certificate),
            [address],
            "acceptance/",
            Racing(new_key=True, last_byte=True, lasts=timedelta(seconds=20), most=1),
        )
    assert (seen.winners, seen.others) == ([16], set()), "this store lets all of them pass"


def test_a_conditional_write_sends_its_content_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def put(self: Empty) -> None:
        asked.append(self.headers.get("Expect"))
        self.do_GET()

    monkeypatch.setattr(Empty, "do_PUT", put)
    with a_store(tmp_path, None) as address:
        assert StoreProbe(Store(address, "states", "key", "secret")).conditional_put("acceptance/x", b"content").ok
    assert asked == [None]


def test_machines_behind_a_terminator_speak_none() -> None:
    store = Store(Address("10.1.0.102", 443), "states", "key", "secret", secure=True, plain_nodes=True)
    assert store.url == "https://10.1.0.102:443"
    assert store.url_of(Address("10.1.0.11", 9000)) == "http://10.1.0.11:9000"


def test_another_failure_of_tls_is_told_in_its_own_words() -> None:
    cut = ssl.SSLError(1, "the connection was cut")
    assert why_untrusted(cut) == f"TLS failed: {cut}"
    named = ssl.SSLError(1, "x")
    named.reason = "NO_SHARED_CIPHER"
    assert why_untrusted(named) == "TLS failed: NO_SHARED_CIPHER"
    assert why_untrusted(OSError("no route")) == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (9, "its certificate is not valid yet; see the clocks of both sides"),
        (62, "its certificate is for other names or addresses than this one; have one made for it"),
        (23, "its certificate is not trusted: revoked"),
    ],
)
def test_what_openssl_found_wrong_is_told_by_its_meaning(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "revoked"
    outer = OSError("no connection")
    outer.__cause__ = error
    assert why_untrusted(outer) == words
    assert why_untrusted(OSError("outer", error)) == words


@pytest.mark.parametrize(("own", "debian", "expected"), [("/own.pem", True, "/own.pem"), (None, True, "here.pem"), (None, False, True)])
def test_whom_this_host_trusts_in_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, debian: bool, expected: str | bool
) -> None:
    bundle = tmp_path / "here.pem"
    if debian:
        bundle.touch()
    monkeypatch.setattr(trust, "DEBIANS", bundle)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(cafile=own))
    found = bundle_for(None)
    assert found is True if expected is True else str(found).endswith(str(expected))
    assert bundle_for(Path("/ours.pem")) == "/ours.pem"
