"""One look at a page: what came is told as it came, and nothing is tried twice or followed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer

import pytest

from probes.http import HttpLook, Web, look
from tests.serving import ANY_PORT, Quiet, serving

PAGES = {
    "/page": (200, {"Content-Type": "text/html; charset=utf-8"}, b"<p>here</p>"),
    "/broken": (503, {"Content-Type": "text/html"}, b"no"),
    "/moved": (302, {"Location": "/page"}, b""),
    "/data": (200, {"Content-Type": "application/json"}, b"{}\xff"),
}


class Pages(Quiet):
    """Some pages, and one that takes forms; `/cut` hangs up."""

    asked: list[tuple[str, str, str, bytes]]

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, self.path, self.headers.get("Content-Type") or "", content))
        if self.path == "/cut":
            return
        status, headers, body = PAGES[self.path]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET


@pytest.fixture
def site() -> Iterator[str]:
    Pages.asked = []
    with serving(ThreadingHTTPServer(ANY_PORT, Pages)) as address:
        yield f"http://{address}"


def test_a_page_for_people(site: str) -> None:
    began = time.monotonic()
    seen = look(f"{site}/page")
    assert (seen.reached, seen.status, seen.body, seen.location, seen.detail) == (Web.ANSWERED, 200, "<p>here</p>", "", "")
    assert seen.ok
    assert seen.is_html
    assert timedelta() < seen.duration <= timedelta(seconds=time.monotonic() - began)
    assert "here" not in repr(seen)
    assert str(seen).startswith(f"{site}/page: 200 '<p>here</p>' after ")
    assert Pages.asked == [("GET", "/page", "", b"")]


@pytest.mark.parametrize(("page", "ok"), [("/broken", False), ("/data", True)])
def test_what_is_no_page_for_people(site: str, page: str, ok: bool) -> None:
    seen = look(f"{site}{page}")
    assert (seen.ok, seen.is_html) == (ok, False)


def test_what_cannot_be_decoded_is_replaced(site: str) -> None:
    assert look(f"{site}/data").body == "{}\N{REPLACEMENT CHARACTER}"


def test_nobody_is_followed_elsewhere(site: str) -> None:
    seen = look(f"{site}/moved")
    assert (seen.status, seen.location) == (302, "/page")
    assert len(Pages.asked) == 1


def test_a_form_is_sent_as_one(site: str) -> None:
    assert look(f"{site}/page", method="POST", form={"s": "runner01", "action": "drain"}).ok
    assert Pages.asked == [("POST", "/page", "application/x-www-form-urlencoded", b"s=runner01&action=drain")]


def test_who_hangs_up_is_asked_once(site: str) -> None:
    began = time.monotonic()
    seen = look(f"{site}/cut")
    assert (seen.reached, seen.status, seen.ok) == (Web.RESET, None, False)
    assert timedelta() < seen.duration <= timedelta(seconds=time.monotonic() - began)
    assert len(Pages.asked) == 1
    assert seen.detail
    assert str(seen) == f"{site}/cut: reset ({seen.detail}) after {seen.duration.total_seconds():.2f} s"


def test_of_a_long_page_the_beginning_is_told() -> None:
    assert str(HttpLook("u", Web.ANSWERED, 200, body="x" * 201)) == f"u: 200 {'x' * 200!r} after 0.00 s"
