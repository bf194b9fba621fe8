"""Kinds of change to the reference configuration, made before a machine boots: the words in which defects are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce

from model.topology import MachineSpec, Role
from provisioning.embedded.driver import Alteration
from provisioning.roles import Applied, File

Change = Callable[[Applied], Applied]

WRAPPER = "/usr/local/sbin/tofu"
REAL_TOFU = "/usr/local/bin/tofu"
MINIO_UNIT = "/etc/systemd/system/minio.service"
HAPROXY = "/etc/haproxy/haproxy.cfg"
BEHIND = "9010"
"""Where MinIO listens when something stands in front of it."""

FRONT = """global
    user haproxy
    group haproxy

defaults
    mode http
    timeout connect 2s
    timeout client 1m
    timeout server 1m

listen front_of_the_store
    bind {address}:9000
{lines}
    server store {store}
"""


def only(name: str, *changes: Change) -> Alteration:
    """Deviate on one machine."""

    def alter(machine: MachineSpec, applied: Applied) -> Applied:
        return _in_turn(applied, changes) if machine.name == name else applied

    return alter


def every(role: Role, *changes: Change) -> Alteration:
    """Deviate on all machines of a role: the same mistake in the place that all of them are made from."""

    def alter(machine: MachineSpec, applied: Applied) -> Applied:
        return _in_turn(applied, changes) if machine.role is role else applied

    return alter


def _in_turn(applied: Applied, changes: tuple[Change, ...]) -> Applied:
    return reduce(lambda so_far, change: change(so_far), changes, applied)


def edited(path: str, old: str, new: str) -> Change:
    """Another text in one file."""
    return lambda applied: applied.with_edit(path, old, new)


def added(path: str, content: str, mode: int = 0o644, owner: str = "root") -> Change:
    """A file more."""
    return lambda applied: applied.with_files(File(path, content, mode, owner))


def not_at_boot(unit: str) -> Change:
    """A service that nobody enabled."""
    return lambda applied: applied.without_unit(unit)


def wrapped_tofu(script: str) -> Change:
    """A shell script that everybody on the machine gets who calls `tofu`; it finds the real one as `$tofu`."""
    path = f"PATH={WRAPPER.rpartition('/')[0]}:/usr/local/bin:/usr/bin:/bin\n"

    def change(applied: Applied) -> Applied:
        wrapper = File(WRAPPER, f"#!/bin/sh\ntofu={REAL_TOFU}\n{script}\n", 0o755)
        return applied.with_files(wrapper).with_edit("/etc/environment", "CHECKPOINT_DISABLE", f"{path}CHECKPOINT_DISABLE")

    return change


def behind_front(*lines: str) -> Change:
    """MinIO of a storage machine moves to another port, and an HAProxy with these lines of configuration stands in its place."""

    def change(applied: Applied) -> Applied:
        moved = applied.with_edit(MINIO_UNIT, ":9000", f":{BEHIND}")
        found = re.search(rf"--address (\S+):{BEHIND}", moved.files[MINIO_UNIT].content)
        assert found is not None, moved.files[MINIO_UNIT].content
        return moved.merged(front(found[1], f"{found[1]}:{BEHIND}", *lines))

    return change


def front(address: str, store: str, *lines: str) -> Applied:
    """An HAProxy with these lines of configuration, where a storage machine is asked, that leads to a store elsewhere."""
    text = FRONT.format(address=address, lines="\n".join(f"    {line}" for line in lines), store=store)
    return Applied(packages=("haproxy",), enabled=("haproxy.service",)).with_files(File(HAPROXY, text))
