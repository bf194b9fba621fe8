"""What a store says: a value, or why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import urllib3
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
from minio.error import InvalidResponseError, S3Error, ServerError

from probes.http import Web, classify
from probes.trust import why_untrusted

T = TypeVar("T")
UNREADABLE = "Unreadable"
NO_SUCH_KEY = "NoSuchKey"
NOT_IMPLEMENTED = frozenset({"NotImplemented", "MethodNotAllowed"})


@dataclass(frozen=True)
class StoreError:
    """Why the store did not do what was asked.

    Attributes:
        code: S3's error code (`AccessDenied`, `NoSuchKey`, `PreconditionFailed`), what the network did (`refused`,
            `silent`, `reset`, `unreachable`), or `Unreadable` for content that is not what it should be.
        status: HTTP status; None without an answer.
        message: In the store's, or the client's, words.
    """

    code: str
    status: int | None = None
    message: str = ""

    def __str__(self) -> str:
        """For a message."""
        told = " ".join(str(part) for part in (self.status, self.code) if part)
        return f"{told}: {self.message}" if self.message else told


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What the store said: a value or an error, never both."""

    value: T | None = None
    error: StoreError | None = None

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.error is None

    @property
    def missing(self) -> bool:
        """Whether it says that there is no such object (or bucket, or version)."""
        return self.error is not None and self.error.code.startswith("NoSuch")

    @property
    def not_implemented(self) -> bool:
        """Whether it says that it does not know such a request at all."""
        return self.error is not None and self.error.code in NOT_IMPLEMENTED


class UnreadableContent(Exception):
    """An object is not what its key says."""


def parsed(parse: Callable[[], T]) -> T:
    """Read content; what cannot be read becomes an answer of `ask`, not an error of ours."""
    try:
        return parse()
    except (ValueError, TypeError, AttributeError) as error:
        raise UnreadableContent(str(error)) from error


def ask(question: Callable[[], T]) -> Answer[T]:  # noqa: PLR0911 - one line per library's way to say no
    """Send a request; what the store or the network says is an answer, what our code does wrong is raised."""
    try:
        return Answer(question())
    except S3Error as error:
        return Answer(error=StoreError(error.code or "", getattr(error.response, "status", None), error.message or ""))
    except ServerError as error:
        return Answer(error=StoreError("ServerError", error.status_code, str(error)))
    except InvalidResponseError as error:
        return Answer(error=StoreError("InvalidResponse", None, str(error)))
    except ClientError as error:
        told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        return Answer(error=StoreError(told.get("Code", ""), meta.get("HTTPStatusCode"), told.get("Message", "")))
    except (ConnectTimeoutError, ReadTimeoutError) as error:
        return Answer(error=StoreError(Web.SILENT.value, None, str(error)))
    except (urllib3.exceptions.HTTPError, BotoCoreError) as error:
        return Answer(error=StoreError(classify(error).value, None, why_untrusted(error) or str(error)))
    except UnreadableContent as error:
        return Answer(error=StoreError(UNREADABLE, None, str(error)))
