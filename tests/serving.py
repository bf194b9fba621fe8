"""HTTP servers of a test's own, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from model.topology import Address

HERE = "127.0.0.1"
ANY_PORT = (HERE, 0)


class Quiet(BaseHTTPRequestHandler):
    """Answers as the test says, and writes no log."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(server: HTTPServer) -> Iterator[Address]:
    """Serve while the context lasts; where, and nothing is left of it."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield Address(HERE, server.server_port)
        finally:
            server.shutdown()
            thread.join()
