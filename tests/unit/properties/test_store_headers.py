"""The head of a store's answer: its status and its clock are read, or it is said what could not be."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from model.lab import Store
from model.topology import Address
from probes.answers import UNREADABLE, Answer
from probes.lock_race import status_of
from probes.snapshots import Entity
from probes.store import StoreProbe
from tests.unit.properties.damage import damaged, damaged_bytes, read_or_refused

WRITTEN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def entity(date: str) -> Answer[Entity]:
    """What a probe makes of an answer with this date."""
    probe = StoreProbe(Store(Address("10.1.0.101", 9000), "bucket", "admin", "hunter2-and-more"))
    meta = {"HTTPHeaders": {"date": date}}
    answer = {"Body": io.BytesIO(b"{}"), "ResponseMetadata": meta, "ETag": "a", "LastModified": WRITTEN}
    probe.__dict__["_s3"] = SimpleNamespace(get_object=lambda **_: answer)
    return probe.entity("key")


@given(st.integers(0, 10**8))
def test_an_age_is_read_as_it_was_told(seconds: int) -> None:
    found = entity(format_datetime(WRITTEN + timedelta(seconds=seconds), usegmt=True)).value
    assert found is not None
    assert found.age == timedelta(seconds=seconds)


@given(damaged("Wed, 25 Nov 2026 12:00:09 GMT") | st.sampled_from(["Wed, 25 Nov 2026 12:00:09 -0000", "Wed, 99 Nov 2026 12:00:09 GMT"]))
def test_any_date_is_an_age_or_an_answer(date: str) -> None:
    found = entity(date)
    assert found.ok or (found.error is not None and found.error.code == UNREADABLE)


@given(st.integers(100, 599), st.sampled_from(["OK", "Precondition Failed", ""]), st.binary(max_size=40))
def test_a_status_is_read_as_it_was_sent(status: int, reason: str, rest: bytes) -> None:
    assert status_of(f"HTTP/1.1 {status} {reason}\r\n".encode() + rest) == status


@given(
    damaged_bytes(b"HTTP/1.1 412 Precondition Failed\r\nServer: MinIO\r\n\r\n")
    | st.sampled_from([b"\r\n", b"HTTP/1.1\r\n", b"it is 201 o'clock\r\n"])
)
def test_a_damaged_answer_has_no_other_status(answer: bytes) -> None:
    status = read_or_refused(lambda: status_of(answer), "no answer in HTTP")
    assert status is None or answer.startswith((f"HTTP/1.1 {status}".encode(), f"HTTP/1.0 {status}".encode()))
