"""The state store as its administrator sees it: bucket, versions, states and locks.

minio-py does the administration; boto3 sends the conditional PUT that minio-py cannot (`If-None-Match: *`, the
request by which OpenTofu takes a lock), and lists: minio-py reads no dates but MinIO's own.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import boto3
import urllib3
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from minio import Minio
from minio.deleteobjects import DeleteObject
from urllib3.response import BaseHTTPResponse

from model.errors import AcceptanceError
from model.lab import Store
from model.topology import Address
from probes.answers import NO_SUCH_KEY, UNREADABLE, Answer, StoreError, ask, parsed
from probes.lifecycle import in_words
from probes.lock_error import LockInfo
from probes.snapshots import Entity, ObjectVersion, StateSnapshot, StateVersion, newest_first
from probes.trust import bundle_for, context_for

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

STORE_WITHIN = timedelta(seconds=5)
LOCK_SUFFIX = ".tflock"


@dataclass(frozen=True)
class Reading:
    """An answer that was not read to its end."""

    answer: BaseHTTPResponse

    def drop(self) -> None:
        """Close its connection."""
        self.answer.close()


def _send_all_at_once(request: AWSPreparedRequest, **_: object) -> None:
    """Do not ask whether a body may be sent (`Expect: 100-continue`).

    Refused before it was sent, a body is still awaited by a balancer in between, and botocore uses the connection again: the
    first bytes of the next request are taken for it (botocore#1863).
    """
    del request.headers["Expect"]


class StoreProbe:
    """Asks one endpoint of the store, with a deadline per request and no more than one repetition."""

    def __init__(self, store: Store, endpoint: Address | None = None, *, within: timedelta = STORE_WITHIN) -> None:
        """Prepare; nothing is sent yet.

        Args:
            store: Bucket and keys; an empty access key asks as a stranger without credentials.
            endpoint: One node instead of the lab's endpoint.
            within: For connecting and for each wait on an answer.
        """
        self.store, self.bucket = store, store.bucket
        self.endpoint = endpoint or store.endpoint
        self._within = within
        secure = store.speaks_tls(self.endpoint)
        self._pool = urllib3.PoolManager(
            ssl_context=context_for(store.ca_file) if secure else None,
            timeout=urllib3.Timeout(connect=within.total_seconds(), read=within.total_seconds()),
            retries=urllib3.Retry(total=0, redirect=0),
            maxsize=4,
        )
        self.client = Minio(
            endpoint=str(self.endpoint),
            access_key=store.access_key or None,
            secret_key=store.secret_key or None,
            secure=secure,
            region=store.region,
            http_client=self._pool,
        )

    def __repr__(self) -> str:
        """Endpoint and bucket, no key."""
        return f"<StoreProbe {self.endpoint} {self.bucket}>"

    def close(self) -> None:
        """Drop cached connections: after every fault."""
        self._pool.clear()
        if "_s3" in self.__dict__:
            self._s3.close()
            del self.__dict__["_s3"]

    def bucket_exists(self) -> Answer[bool]:
        """Whether the state bucket is there."""
        return ask(lambda: self.client.bucket_exists(bucket_name=self.bucket))

    def versioning(self) -> Answer[str]:
        """`Enabled`, `Suspended` or `Off`."""
        return ask(lambda: str(self.client.get_bucket_versioning(bucket_name=self.bucket).status or "Off"))

    def put(self, key: str, content: bytes) -> Answer[str]:
        """Write an object; the value is its version ID (empty where the bucket keeps no versions)."""
        data = io.BytesIO(content)
        return ask(
            lambda: self.client.put_object(bucket_name=self.bucket, object_name=key, data=data, length=len(content)).version_id or ""
        )

    def get(self, key: str, version_id: str | None = None) -> Answer[bytes]:
        """Read an object, or one of its versions."""
        return ask(lambda: self._read(key, version_id)[0])

    def begin_to_read(self, key: str) -> Reading:
        """Read the first byte of an object, and no more: as long as it waits, the store has a lock on the object.

        Args:
            key: Of an object that is larger than what a connection takes in.

        Raises:
            AcceptanceError: Not even that byte came.
        """

        def first_byte() -> BaseHTTPResponse:
            answer = self.client.get_object(bucket_name=self.bucket, object_name=key)
            answer.read(1)
            return answer

        begun = ask(first_byte)
        if begun.value is None:
            msg = f"{key} cannot be read at {self.endpoint}: {begun.error}"
            raise AcceptanceError(msg)
        return Reading(begun.value)

    def remove(self, key: str, version_id: str | None = None) -> Answer[bool]:
        """Delete an object (a versioned bucket gets a delete marker), or one version for good."""

        def delete() -> bool:
            self.client.remove_object(bucket_name=self.bucket, object_name=key, version_id=version_id)
            return True

        return ask(delete)

    def leave_nothing(self, key: str) -> StoreError | None:
        """Write an object and remove that version for good; what went wrong, None when both worked."""
        written = self.put(key, b"")
        if written.error is not None:
            return written.error
        return self.remove(key, written.value or None).error

    def keys(self, prefix: str) -> Answer[tuple[str, ...]]:
        """Keys of the objects below a prefix that a plain read would find."""
        found = self.versions(prefix)
        if found.value is None:
            return Answer(error=found.error)
        return Answer(tuple(each.key for each in found.value if each.is_latest and not each.is_delete_marker))

    def versions(self, prefix: str) -> Answer[tuple[ObjectVersion, ...]]:
        """All versions and delete markers below a prefix, newest first within a key; objects where a store knows no versions."""
        every = ask(lambda: self._list("list_object_versions", prefix))
        return self.objects(prefix) if every.not_implemented else every

    def objects(self, prefix: str) -> Answer[tuple[ObjectVersion, ...]]:
        """The objects below a prefix, without their versions: where there are many states, much less than all of them."""
        return ask(lambda: self._list("list_objects_v2", prefix))

    def _list(self, operation: Literal["list_object_versions", "list_objects_v2"], prefix: str) -> tuple[ObjectVersion, ...]:
        pages = cast("Iterable[dict[str, Any]]", self._s3.get_paginator(operation).paginate(Bucket=self.bucket, Prefix=prefix))
        return newest_first(
            [
                ObjectVersion(
                    each["Key"],
                    each.get("VersionId", ""),
                    each.get("IsLatest", True),
                    kind == "DeleteMarkers",
                    each.get("LastModified"),
                    each.get("Size", 0),
                )
                for page in pages
                for kind in ("Versions", "DeleteMarkers", "Contents")
                for each in page.get(kind, ())
            ]
        )

    def state(self, key: str, version_id: str | None = None) -> Answer[StateSnapshot]:
        """The state under a key."""

        def read() -> StateSnapshot:
            content, version = self._read(key, version_id)
            return parsed(lambda: StateSnapshot.from_json(content, version))

        return ask(read)

    def state_history(self, key: str) -> Answer[tuple[StateVersion, ...]]:
        """Every version of a state, oldest first."""
        found = self.versions(key)
        if found.value is None:
            return Answer(error=found.error)
        history = []
        for version in reversed([each for each in found.value if each.key == key]):
            snapshot: Answer[StateSnapshot] = Answer() if version.is_delete_marker else self.state(key, version.version_id)
            if snapshot.error is not None and snapshot.error.code != UNREADABLE:
                return Answer(error=snapshot.error)
            history.append(StateVersion(version, snapshot.value))
        return Answer(tuple(history))

    def lock_object(self, state_key: str) -> Answer[LockInfo]:
        """Who holds the lock of a state; `value` and `error` are None when nobody does."""

        def read() -> LockInfo:
            content = self._read(state_key + LOCK_SUFFIX, None)[0]
            return parsed(lambda: LockInfo.from_json(content))

        answer = ask(read)
        return Answer() if answer.error is not None and answer.error.code == NO_SUCH_KEY else answer

    def expiring_rules(self) -> Answer[tuple[str, ...]]:
        """Lifecycle rules in force that remove versions of objects other than locks, each in words."""

        def read() -> tuple[str, ...]:
            found = self.client.get_bucket_lifecycle(bucket_name=self.bucket)
            rules = found.rules if found is not None else ()
            return tuple(words for words in (in_words(rule) for rule in rules) if words)

        return ask(read)

    def conditional_put(self, key: str, content: bytes) -> Answer[str]:
        """Write an object unless there is one: `If-None-Match: *`, the request that takes a lock.

        Returns:
            The version ID, or the refusal: status 412, `PreconditionFailed`.
        """
        return ask(lambda: self._s3.put_object(Bucket=self.bucket, Key=key, Body=content, IfNoneMatch="*").get("VersionId", ""))

    def write_over(self, key: str, content: bytes, etag: str) -> Answer[str]:
        """Write over an object, unless it is another one by now (`If-Match`); the value is the version ID."""
        return ask(lambda: self._s3.put_object(Bucket=self.bucket, Key=key, Body=content, IfMatch=etag).get("VersionId", ""))

    def entity(self, key: str) -> Answer[Entity]:
        """Read an object with what is needed to write over it, and its age by the store's own clock."""

        def read() -> Entity:
            found = self._s3.get_object(Bucket=self.bucket, Key=key)
            with contextlib.closing(found["Body"]) as body:
                content = body.read()
            said = found["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
            age = parsed(lambda: (parsedate_to_datetime(said) if said else datetime.now(UTC)) - found["LastModified"])
            return Entity(content, found["ETag"], found.get("VersionId", ""), age)

        return ask(read)

    def remove_all(self, prefix: str) -> Answer[int]:
        """Remove every version and delete marker below a prefix; the value is how many there were.

        Args:
            prefix: Of one run of ours: `acceptance/<run id>/…`.

        Raises:
            ValueError: It is not below the store's prefix of ours: nothing else is ours to remove.
        """
        if not prefix.startswith(self.store.own) or not prefix.removeprefix(self.store.own).strip("/"):
            msg = f"only what lies below {self.store.own}<run id>/ may be removed, not {prefix!r}"
            raise ValueError(msg)
        found = self.versions(prefix)
        if found.value is None:
            return Answer(error=found.error)
        doomed = [DeleteObject(each.key, each.version_id or None) for each in found.value]
        if not doomed:
            return Answer(0)
        refused = ask(lambda: list(self.client.remove_objects(bucket_name=self.bucket, delete_object_list=iter(doomed))))
        if refused.value:
            first = refused.value[0]
            return Answer(error=StoreError(first.code, None, f"{first.name}: {first.message}"))
        return Answer(len(doomed)) if refused.ok else Answer(error=refused.error)

    @cached_property
    def _s3(self) -> S3Client:
        """A client of boto3: safe for many threads once it is made.

        It asks for no `100 Continue`: where a balancer stands before the store, a refusal that comes before the content was sent leaves
        the connection in the middle of a request, and whatever is asked over it next is answered with 400 (HAProxy 2.6, botocore 1.44).
        """
        seconds = self._within.total_seconds()
        settings = Config(
            connect_timeout=seconds,
            read_timeout=seconds,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            max_pool_connections=64,
            proxies={},
            signature_version=None if self.store.access_key else UNSIGNED,
        )
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=self.store.url_of(self.endpoint),
            verify=bundle_for(self.store.ca_file),
            aws_access_key_id=self.store.access_key,
            aws_secret_access_key=self.store.secret_key,
            region_name=self.store.region,
            config=settings,
        )
        client.meta.events.register("before-send.s3.PutObject", _send_all_at_once)
        return client

    def _read(self, key: str, version_id: str | None) -> tuple[bytes, str]:
        answer = self.client.get_object(bucket_name=self.bucket, object_name=key, version_id=version_id or None)
        try:
            return answer.read(), answer.headers.get("x-amz-version-id", "")
        finally:
            answer.close()
            answer.release_conn()
