"""One look at a page, as a browser without patience would take it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError, ProtocolError, ReadTimeoutError

from probes.trust import context_for, why_untrusted

LOOK_WITHIN = timedelta(seconds=3)
EXCERPT = 200


class Web(StrEnum):
    """How far a request came."""

    ANSWERED = "answered"
    REFUSED = "refused"
    SILENT = "silent"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "not trusted"


@dataclass(frozen=True)
class HttpLook:
    """What a request got.

    Attributes:
        url: What was asked for.
        reached: How far it came.
        status: HTTP status; None without an answer.
        content_type: As the server says.
        location: Where the answer sends the client; empty where it does not.
        body: Decoded with replacement.
        duration: Until the answer, or until it failed.
        detail: The client's own words about a failure.
    """

    url: str
    reached: Web
    status: int | None = None
    content_type: str = ""
    location: str = ""
    body: str = field(default="", repr=False)
    duration: timedelta = timedelta()
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was answered with 200."""
        return self.status == HTTPStatus.OK

    @property
    def is_html(self) -> bool:
        """Whether a page for people came."""
        return self.ok and self.content_type.startswith("text/html")

    def __str__(self) -> str:
        """One line for a message."""
        answer = f"{self.status} {self.body[:EXCERPT]!r}" if self.reached is Web.ANSWERED else f"{self.reached} ({self.detail})"
        return f"{self.url}: {answer} after {self.duration.total_seconds():.2f} s"


def look(
    url: str,
    *,
    within: timedelta = LOOK_WITHIN,
    method: str = "GET",
    form: dict[str, str] | None = None,
    ca_file: Path | None = None,
) -> HttpLook:
    """Ask once: no repetition, no redirection, no proxy.

    Args:
        url: What to ask for.
        within: For connecting and for each wait on the answer.
        method: HTTP method.
        form: Fields of a form to send, for H34's question.
        ca_file: Whom to trust where TLS is spoken; None: whom this host trusts.

    Returns:
        What a user got; failures of the network are an answer, too.
    """
    seconds = within.total_seconds()
    started = time.monotonic()
    body = urlencode(form) if form else None
    headers = {"Accept": "*/*", **({"Content-Type": "application/x-www-form-urlencoded"} if form else {})}
    context = context_for(ca_file) if url.startswith("https:") else None
    with urllib3.PoolManager(timeout=urllib3.Timeout(total=seconds), retries=False, ssl_context=context) as pool:
        try:
            answer = pool.request(method, url, body=body, headers=headers, redirect=False)
        except HTTPError as error:
            took = timedelta(seconds=time.monotonic() - started)
            return HttpLook(url, classify(error), duration=took, detail=why_untrusted(error) or str(error))
        took = timedelta(seconds=time.monotonic() - started)
        text = answer.data.decode(errors="replace")
        return HttpLook(
            url, Web.ANSWERED, answer.status, answer.headers.get("Content-Type", ""), answer.headers.get("Location", ""), text, took
        )


def classify(error: BaseException) -> Web:
    """Tell from urllib3's error what the network did.

    Args:
        error: What urllib3 raised, or what it was caused by.
    """
    if why_untrusted(error):
        return Web.UNTRUSTED
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        reason = getattr(cause, "reason", None)
        cause = reason if isinstance(reason, BaseException) else cause.__cause__ or cause.__context__
    kinds: tuple[tuple[Web, tuple[type[BaseException], ...]], ...] = (
        (Web.REFUSED, (ConnectionRefusedError,)),
        (Web.RESET, (ConnectionResetError, BrokenPipeError)),
        (Web.SILENT, (ConnectTimeoutError, ReadTimeoutError, TimeoutError)),
        (Web.UNREACHABLE, (NameResolutionError, NewConnectionError)),
        (Web.RESET, (ProtocolError, ConnectionError)),
    )
    for web, classes in kinds:
        if any(isinstance(link, classes) for link in chain):
            return web
    return Web.UNREACHABLE
