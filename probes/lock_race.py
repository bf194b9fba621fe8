"""Conditional writes that race: whether a store can lock at all.

OpenTofu takes a lock by one PUT with `If-None-Match: *`. Each writer here sends that request over a connection of its
own, signed beforehand; all of them wait at a barrier before the request, or before its last byte.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from model.errors import Unreadable
from model.lab import Store
from model.topology import Address
from probes.http import EXCERPT
from probes.store import StoreProbe
from probes.trust import context_for

WRITERS = 16
ANSWER_SECONDS = 10.0
CREATED, REFUSED = 200, 412


@dataclass
class Races:
    """Rounds that were run.

    Attributes:
        nodes: Where the writers wrote.
        winners: How many writers were told that they succeeded, by round.
        others: What was answered beside 200 and 412, each once.
        spread: Longest time between the first and the last writer's final byte, in seconds.
    """

    nodes: list[Address]
    winners: list[int] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    spread: float = 0.0


@dataclass(frozen=True)
class Racing:
    """How to race.

    Attributes:
        new_key: A key that never was, each round; else one that was just deleted.
        last_byte: Hold the last byte of each request back.
        lasts: When to stop.
        most: When to stop, in rounds.
    """

    new_key: bool
    last_byte: bool
    lasts: timedelta
    most: int = 1000


def race(store: Store, nodes: list[Address], prefix: str, how: Racing) -> Races:
    """Race 16 writers, spread over the nodes, until the time is over.

    Args:
        store: Bucket and keys.
        nodes: Where the writers write.
        prefix: Our own, below which everything is written.
        how: Kind and length of the races.

    Returns:
        What happened; a writer that got no answer counts as no winner and is named in `others`.
    """
    seen, ends, number = Races(nodes), time.monotonic() + how.lasts.total_seconds(), 0
    janitor = StoreProbe(store, nodes[0])
    while time.monotonic() < ends and number < how.most:
        key = f"{prefix}race-{number if how.new_key else 'again'}"
        _run_round(store, nodes, key, how, seen)
        if not how.new_key:
            janitor.remove(key)
        number += 1
    return seen


def _run_round(store: Store, nodes: list[Address], key: str, how: Racing, seen: Races) -> None:
    barrier = threading.Barrier(WRITERS)
    answers: list[tuple[int, float]] = []
    guard = threading.Lock()

    def write(index: int) -> None:
        node = nodes[index % len(nodes)]
        request = _request(store, node, key, f"writer {index}".encode())
        try:
            status, sent = _send(store, node, request, barrier, last_byte=how.last_byte)
        except threading.BrokenBarrierError:
            with guard:
                seen.others.add(f"not begun at {node}, as another writer could not")
            return
        except (OSError, ValueError) as error:
            with guard:
                seen.others.add(f"{type(error).__name__} at {node}: {error}")
            return
        with guard:
            answers.append((status, sent))

    threads = [threading.Thread(target=write, args=(index,), daemon=True) for index in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=2 * ANSWER_SECONDS)
    statuses = [status for status, _ in answers]
    seen.winners.append(statuses.count(CREATED))
    seen.others |= {f"HTTP {status}" for status in statuses if status not in {CREATED, REFUSED}}
    if len(answers) == WRITERS:
        moments = [sent for _, sent in answers]
        seen.spread = max(seen.spread, max(moments) - min(moments))


def _request(store: Store, node: Address, key: str, body: bytes) -> bytes:
    """A signed PUT, ready to be sent."""
    url = f"{store.url_of(node)}/{store.bucket}/{key}"
    headers = {"If-None-Match": "*", "Content-Type": "application/json", "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    request = AWSRequest(method="PUT", url=url, data=body, headers=headers)
    S3SigV4Auth(Credentials(store.access_key, store.secret_key), "s3", store.region).add_auth(request)
    lines = [f"PUT /{store.bucket}/{key} HTTP/1.1", f"Host: {node}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() not in {"host", "content-length"}]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _link(store: Store, node: Address) -> socket.socket:
    """A connection that is ready for a request."""
    link = socket.create_connection((node.host, node.port), timeout=ANSWER_SECONDS)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not store.speaks_tls(node):
        return link
    try:
        return context_for(store.ca_file).wrap_socket(link, server_hostname=node.host)
    except BaseException:
        link.close()
        raise


def _at_the_barrier(store: Store, node: Address, begun: bytes, barrier: threading.Barrier) -> socket.socket:
    """A connection over which a request was begun, once all writers have come so far; where one cannot, nobody goes on."""
    try:
        link = _link(store, node)
        try:
            link.sendall(begun)
            barrier.wait(timeout=ANSWER_SECONDS)
        except BaseException:
            link.close()
            raise
    except BaseException:
        barrier.abort()
        raise
    return link


def _send(store: Store, node: Address, request: bytes, barrier: threading.Barrier, *, last_byte: bool) -> tuple[int, float]:
    """Send a request at the barrier; the status, and when the last byte was sent."""
    begun, rest = (request[:-1], request[-1:]) if last_byte else (b"", request)
    with _at_the_barrier(store, node, begun, barrier) as link:
        link.sendall(rest)
        sent = time.monotonic()
        answer = b""
        while b"\r\n" not in answer:
            part = link.recv(4096)
            if not part:
                msg = "the connection ended without an answer"
                raise ConnectionResetError(msg)
            answer += part
        return status_of(answer), sent


def status_of(answer: bytes) -> int:
    """The HTTP status of an answer, from its first line.

    Raises:
        Unreadable: It is no answer in HTTP.
    """
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r\n", answer)
    if found is None:
        raise Unreadable(f"no answer in HTTP: {answer[:EXCERPT]!r}")
    return int(found[1])
