"""Kinds of deed: what is done to a lab that has booted, before anybody looks at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from minio import MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import S3Error

from model.lab import Lab
from model.topology import Address, Role
from model.waiting import wait_until
from probes.store import StoreProbe

Deed = Callable[[Lab], None]

SERVES_WITHIN = timedelta(seconds=30)


def both(*deeds: Deed) -> Deed:
    """One deed after the other."""

    def do(lab: Lab) -> None:
        for deed in deeds:
            deed(lab)

    return do


def ran(name: str, *commands: str) -> Deed:
    """As somebody with a root shell on one machine."""

    def do(lab: Lab) -> None:
        for command in commands:
            must(lab, name, command)

    return do


def ran_on(role: Role, *commands: str) -> Deed:
    """As somebody with a root shell on all machines of a role."""

    def do(lab: Lab) -> None:
        for machine in lab.of(role):
            for command in commands:
                must(lab, machine.name, command)

    return do


def must(lab: Lab, name: str, command: str) -> None:
    """Run a command on a machine.

    Raises:
        RuntimeError: It failed.
    """
    done = lab.machines[name].run(command)
    if not done.ok:
        msg = f"`{command}` on {name} failed: {done.text}"
        raise RuntimeError(msg)


def pulled_plug(name: str) -> Deed:
    """As a machine that died before anybody looked."""
    return lambda lab: lab.machines[name].cut_power()


def serving(lab: Lab) -> StoreProbe:
    """The state store as its administrator sees it, once it answers."""
    probe = StoreProbe(lab.store)
    wait_until(probe.bucket_exists, lambda seen: seen.ok, what="the state store answers", within=SERVES_WITHIN)
    return probe


def settled(lab: Lab) -> None:
    """Nothing is done, but every storage machine serves: set up otherwise than the others, one may need a while to find its peers."""
    for machine in lab.storage:
        probe = StoreProbe(lab.store, Address(machine.address, lab.store.endpoint.port))
        wait_until(
            lambda asked=probe: asked.leave_nothing(lab.store.key("condition", "settled")),  # type: ignore[misc]
            lambda error: error is None,
            what=f"{machine.name} takes a write",
            within=SERVES_WITHIN,
        )


def lastingly(change: Callable[[], bool], what: str) -> None:
    """Repeat a change until it lasts: while MinIO starts, it refuses, and brings back what it knew before."""

    def changed() -> bool:
        try:
            return change()
        except S3Error:
            return False

    wait_until(changed, bool, what=what, within=SERVES_WITHIN, every=timedelta(milliseconds=300), in_a_row=5)


def administer(lab: Lab, change: Callable[[MinioAdmin], object]) -> None:
    """Do something as the administrator of the state store, once it answers."""
    serving(lab)
    admin = MinioAdmin(
        endpoint=str(lab.store.endpoint), credentials=StaticProvider(lab.store.access_key, lab.store.secret_key), secure=lab.store.secure
    )
    wait_until(lambda: _went_well(lambda: change(admin)), bool, what="the state store is administered", within=SERVES_WITHIN)


def _went_well(call: Callable[[], object]) -> bool:
    try:
        call()
    except Exception:  # noqa: BLE001 - while MinIO starts it refuses in many ways; the deadline tells those that last
        return False
    return True


def bucket_open_to(*actions: str, condition: dict[str, Any] | None = None) -> Deed:
    """As somebody who gave everybody rights to all objects of the bucket, on a condition or on none."""

    def do(lab: Lab) -> None:
        resource = [f"arn:aws:s3:::{lab.store.bucket}", f"arn:aws:s3:::{lab.store.bucket}/*"]
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": [action], "Resource": [resource[action != "s3:ListBucket"]]}
            | ({"Condition": condition} if condition else {})
            for action in actions
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        probe = serving(lab)

        def allow() -> bool:
            there = _went_well(lambda: probe.client.get_bucket_policy(bucket_name=lab.store.bucket))
            if not there:
                probe.client.set_bucket_policy(bucket_name=lab.store.bucket, policy=policy)
            return there

        lastingly(allow, "the bucket has a policy")

    return do
