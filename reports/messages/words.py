"""Our words in Cucumber's: statuses, times, what surrounds the sentences, attachments."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from cucumber_messages import (
    Attachment,
    AttachmentContentEncoding,
    Duration,
    Envelope,
    Hook,
    HookType,
    Meta,
    Product,
    SourceReference,
    TestRunHookFinished,
    TestRunHookStarted,
    TestStepResult,
    TestStepResultStatus,
    Timestamp,
    message_converter,
)

from model.secrets import SECRETS
from model.story import Status

PROTOCOL = importlib.metadata.version("cucumber-messages")
"""The library has the version of the protocol that it speaks."""

SCHEMA_VERSION = 1
"""Of our own attachments; stands in the one that begins the run."""

OURS = "application/vnd.tofu-ha-acceptance"
BEGIN, END, RESULT = f"{OURS}.begin+json", f"{OURS}.end+json", f"{OURS}.result+json"
LOG, PLAIN, LINK = "text/x.cucumber.log+plain", "text/plain", "text/uri-list"
NANOSECONDS = 1_000_000_000

STATUSES = {
    Status.PASSED: TestStepResultStatus.passed,
    Status.FAILED: TestStepResultStatus.failed,
    Status.INCONCLUSIVE: TestStepResultStatus.pending,
    Status.SKIPPED: TestStepResultStatus.skipped,
    Status.UNDEFINED: TestStepResultStatus.undefined,
    Status.AMBIGUOUS: TestStepResultStatus.ambiguous,
}
"""*Inconclusive* is PENDING: the verdict is still owed. UNKNOWN would count for less than PASSED, and a scenario with it would
look passed; FAILED would accuse the lab of what nobody saw."""

SET_UP = "set-up"
AFTER = ("healing", "recovery", "invariants", "clean-up")
"""What surrounds the sentences, in order; each is a hook."""

RUN_BEGINS, LAB_BUILT, LAB_REMOVED, RUN_ENDS = "the run begins", "the lab comes up", "the lab is removed", "the run ends"
HOOKS = {
    RUN_BEGINS: (HookType.before_test_run, "reports/recorder.py"),
    LAB_BUILT: (HookType.before_test_run, "fixtures/lab.py"),
    SET_UP: (HookType.before_test_case, "fixtures/verdicts.py"),
    **dict.fromkeys(AFTER, (HookType.after_test_case, "fixtures/verdicts.py")),
    LAB_REMOVED: (HookType.after_test_run, "fixtures/lab.py"),
    RUN_ENDS: (HookType.after_test_run, "reports/recorder.py"),
}


def hook_id(name: str) -> str:
    """Id of a hook, the same in every process."""
    return "hook-" + name.replace(" ", "-")


def hooks() -> list[Envelope]:
    """Every hook there is."""

    def message(name: str) -> Envelope:
        kind, file = HOOKS[name]
        return Envelope(hook=Hook(hook_id(name), SourceReference(uri=file), name=name, type=kind))

    return [message(name) for name in HOOKS]


def meta(version: str) -> Envelope:
    """What wrote the record."""
    return Envelope(
        meta=Meta(
            cpu=Product(platform.machine()),
            implementation=Product("tofu-ha-acceptance", version or None),
            os=Product(platform.system().lower(), platform.release()),
            protocol_version=PROTOCOL,
            runtime=Product(platform.python_implementation(), platform.python_version()),
        )
    )


def moment(seconds: float | datetime) -> Timestamp:
    """Seconds of the epoch, or a time, as a timestamp."""
    at = round((seconds.timestamp() if isinstance(seconds, datetime) else seconds) * NANOSECONDS)
    return Timestamp(seconds=at // NANOSECONDS, nanos=at % NANOSECONDS)


def outcome(status: Status, seconds: float = 0.0, reason: str = "") -> TestStepResult:
    """A step's result; our word stands before the reason where Cucumber has none of its own."""
    told = f"{status}: {reason}" if reason and status in {Status.INCONCLUSIVE, Status.SKIPPED} else reason
    length = round(seconds * NANOSECONDS)
    return TestStepResult(Duration(seconds=length // NANOSECONDS, nanos=length % NANOSECONDS), STATUSES[status], message=told or None)


def attachment(body: str, media_type: str, **where: str) -> Envelope:
    """A text that goes along, masked here, as what is JSON inside of JSON is escaped twice."""
    return Envelope(attachment=Attachment(SECRETS.mask(body), AttachmentContentEncoding.identity, media_type, **where))


def run_hook(name: str, run_id: str, at: tuple[float, float], result: TestStepResult, said: Iterable[Envelope] = ()) -> Iterator[Envelope]:
    """A hook of the run: begun, what it says, ended."""
    id_ = f"{hook_id(name)}-1"
    yield Envelope(test_run_hook_started=TestRunHookStarted(hook_id(name), id_, run_id, moment(at[0])))
    for envelope in said:
        envelope.attachment.test_run_hook_started_id = id_
        yield envelope
    yield Envelope(test_run_hook_finished=TestRunHookFinished(result, id_, moment(at[1])))


def line_of(envelope: Envelope | Mapping[str, Any]) -> str:
    """One line of the record, without its end."""
    data = message_converter.to_dict(envelope) if isinstance(envelope, Envelope) else envelope
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
