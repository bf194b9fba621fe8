"""A store over HTTP that is a dictionary: objects without versions, one conditional write, one lifecycle configuration."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from model.topology import Address
from tests.serving import ANY_PORT, HERE, Quiet, serving

GRANTED, ALL_GRANTED, GARBAGE, HANGS_UP, FORBIDDEN = "granted to one", "granted to all", "garbage", "hangs up", "forbidden"


class Served(ThreadingHTTPServer):
    """Content by path, and what is wrong with the store.

    Attributes:
        content: `/bucket/key` to bytes.
        lifecycle: The bucket's lifecycle configuration; there is none where it is empty.
        manner: How conditional writes are answered.
        asked: Lines of all requests.
        signed: Whether each was signed.
        versioning: The bucket's status of versioning; it never had one where it is empty.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        """Start empty and sound."""
        super().__init__(ANY_PORT, _Shelf)
        self.content: dict[str, bytes] = {}
        self.lifecycle, self.versioning, self.manner = "", "", GRANTED
        self.asked: list[str] = []
        self.signed: list[bool] = []
        self.guard = threading.Lock()

    @property
    def address(self) -> Address:
        return Address(HERE, self.server_port)


class _Shelf(Quiet):
    server: Served

    def do_GET(self) -> None:
        place, query = self._asked()
        if "lifecycle" in query:
            self._answer(
                *((200, self.server.lifecycle.encode()) if self.server.lifecycle else (404, _error("NoSuchLifecycleConfiguration")))
            )
        elif "versioning" in query:
            status = f"<Status>{self.server.versioning}</Status>" if self.server.versioning else ""
            self._answer(200, f"<VersioningConfiguration>{status}</VersioningConfiguration>".encode())
        elif place in self.server.content:
            self._answer(200, self.server.content[place], {"x-amz-version-id": "v1"})
        else:
            self._answer(404, _error("NoSuchKey"))

    def do_PUT(self) -> None:
        place, _ = self._asked()
        content = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.guard:
            taken = self.headers["If-None-Match"] == "*" and place in self.server.content and self.server.manner != ALL_GRANTED
            if not taken:
                self.server.content[place] = content
        if self.server.manner == GARBAGE:
            self.wfile.write(b"220 ready\r\n")
        elif self.server.manner == FORBIDDEN:
            self._answer(403, _error("AccessDenied"))
        elif self.server.manner != HANGS_UP:
            self._answer(*((412, _error("PreconditionFailed")) if taken else (200, b"")), {"x-amz-version-id": "v1"})

    def do_DELETE(self) -> None:
        place, _ = self._asked()
        self.server.content.pop(place, None)
        self._answer(204, b"")

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        self.server.asked.append(self.requestline)
        self.server.signed.append("Authorization" in self.headers)
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query, keep_blank_values=True)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        named = {
            "ETag": f'"{md5(body, usedforsecurity=False).hexdigest()}"',
            "Last-Modified": self.date_time_string(),
            "Content-Type": "application/xml",
            **(headers or {}),
        }
        for name, value in named.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>as the test says</Message></Error>".encode()


@contextmanager
def served_shelf() -> Iterator[Served]:
    """A store that is there while the context lasts."""
    server = Served()
    with serving(server):
        yield server
