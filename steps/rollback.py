"""Sentences about a state whose content was destroyed, and brought back."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_bdd import then, when

from model.errors import AcceptanceError, PromiseBroken
from model.lab import Lab
from probes import job_steps as do
from probes.jobs import JobClient
from probes.store import LOCK_SUFFIX, StoreProbe
from steps.state import SharedState, snapshot

RUBBISH = b"this was a state once"


@dataclass(frozen=True)
class Destroyed:
    """A state whose content was overwritten with rubbish.

    Attributes:
        before: Version that held the state.
        content: What it held.
        rubbish: Version that holds the rubbish.
    """

    before: str
    content: bytes
    rubbish: str


@when("its content is destroyed in the state store", target_fixture="destroyed")
def destroy_content(store: StoreProbe, shared: SharedState) -> Destroyed:
    before = snapshot(store, shared.key)
    written = store.put(shared.key, RUBBISH)
    if written.error is not None:
        raise AcceptanceError(f"the state could not be overwritten: {written.error}")
    return Destroyed(before.version_id, before.raw, written.value or "")


@then("no runner works with what is left of it")
def check_refusal(lab: Lab, jobs: JobClient, shared: SharedState) -> None:
    for runner in lab.runners:
        outcome = jobs.on(runner, shared.workspace, do.apply())
        assert not outcome.ok, f"expected {runner.name} to refuse a destroyed state; observed that it applied"
        assert outcome.lock_error is None, f"expected {runner.name} to complain about the state, not its lock; observed:\n{outcome}"


@then("once the version before is restored under a lock, every runner plans no changes")
def restore(lab: Lab, jobs: JobClient, store: StoreProbe, shared: SharedState, destroyed: Destroyed) -> None:
    lock = f"{shared.key}{LOCK_SUFFIX}"
    taken = store.conditional_put(lock, _lock_of_ours(store, shared.key))
    if taken.error is not None:
        raise PromiseBroken(f"expected to be able to lock {shared.key} at {store.endpoint} for the repair; observed {taken.error}")
    old = store.get(shared.key, destroyed.before)
    assert old.value == destroyed.content, (
        f"expected version {destroyed.before} from {store.endpoint} as it was written; observed {old.error or old.value!r}"
    )
    for answer in (store.put(shared.key, old.value), store.remove(lock)):
        if answer.error is not None:
            raise PromiseBroken(f"expected to be able to restore {shared.key} at {store.endpoint}; observed {answer.error}")
    for runner in lab.runners:
        outcome = jobs.on(runner, shared.workspace, do.plan())
        assert outcome.plan_shows_no_changes, f"expected {runner.name} to plan no changes to the restored state; observed:\n{outcome}"


def _lock_of_ours(store: StoreProbe, key: str) -> bytes:
    """A lock object as OpenTofu writes it, so that a runner that meets it says who repairs the state."""
    return json.dumps(
        {
            "ID": str(uuid.uuid4()),
            "Operation": "restore of an earlier version",
            "Info": "",
            "Who": "acceptance@controller",
            "Version": "",
            "Created": datetime.now(UTC).isoformat(),
            "Path": f"{store.bucket}/{key}",
        }
    ).encode()


@then("all versions are still there, the destroyed one included")
def check_history(store: StoreProbe, shared: SharedState, destroyed: Destroyed) -> None:
    where = f"{store.bucket} at {store.endpoint}"
    before, rubbish = store.get(shared.key, destroyed.before), store.get(shared.key, destroyed.rubbish)
    assert before.value == destroyed.content, (
        f"expected version {destroyed.before} in {where} as it was; observed {before.error or before.value!r}"
    )
    assert rubbish.value == RUBBISH, (
        f"expected the destroyed version {destroyed.rubbish} to be kept in {where}; observed {rubbish.error or rubbish.value!r}"
    )
    newest = store.get(shared.key)
    assert newest.value == destroyed.content, (
        f"expected the newest version in {where} to be the restored one; observed {newest.error or newest.value!r}"
    )
