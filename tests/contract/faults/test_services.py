"""Services that are stopped, frozen, restarted and killed, as a peer sees them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from faults.fault import Fault
from faults.identity import StrangersKey
from faults.service import (
    KeepalivedStopped,
    ProcessKilled,
    ServiceFrozen,
    ServiceRestarted,
    ServiceStopped,
    SshFrozen,
    SshStopped,
)
from model.errors import FaultHadNoEffect
from model.lab import Lab, Machine
from model.topology import Address
from model.waiting import wait_until
from probes import health
from probes.condition import owners
from probes.http import Web
from probes.outcomes import Reached
from probes.ssh import knock
from tests.contract.faults.zoo import HAPROXY, MINIO, S3, Strike, owner
from tests.contract.peer import Peer, fate, ticks

pytestmark = pytest.mark.proof


def states(machine: Machine, program: str) -> str:
    """States of all processes of a program."""
    return "".join(sorted(set(machine.run(f"ps -C {program} -o stat=").stdout.replace("\n", " ").split())))


def test_a_stopped_service_refuses_and_its_neighbours_answer(lab: Lab, peer: Peer, broken: Strike) -> None:
    node, other = lab.machines["storage01"], lab.machines["storage02"]
    with closing(peer.connect(node, S3)) as link:
        broken(ServiceStopped(node, MINIO))
        assert fate(link) in {"ended", "reset"}
    assert peer.attempt(node, S3) == "refused"
    assert peer.attempt(node) == "open"
    assert peer.call(health.live, Address(other.address, S3)).ok
    assert states(node, "minio") == ""


def test_a_service_that_is_stopped_can_be_neither_stopped_nor_frozen_nor_killed(lab: Lab, peer: Peer, broken: Strike) -> None:
    node = lab.machines["storage01"]
    broken(ServiceStopped(node, MINIO))
    for kind in (ServiceStopped, ServiceFrozen, ServiceRestarted, ProcessKilled):
        fault = kind(node, MINIO)
        with pytest.raises(FaultHadNoEffect, match=r"minio\.service on storage01 has no process"):
            peer.call(fault.strike)
        peer.call(fault.heal)
        assert peer.attempt(node, S3) == "refused", "what did not strike heals nothing"


def test_a_frozen_service_shakes_hands_and_says_nothing(lab: Lab, peer: Peer, broken: Strike) -> None:
    node = lab.machines["storage02"]
    broken(ServiceFrozen(node, MINIO))
    assert peer.attempt(node, S3) == "open"
    assert peer.call(health.live, Address(node.address, S3), timedelta(seconds=1)).reached is Web.SILENT
    assert set(states(node, "minio")) <= set("TlsNL<")
    assert node.run("systemctl is-active minio").stdout == "active\n"


def test_a_frozen_sshd_freezes_its_sessions_too(lab: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner02"]
    with peer.ticking(runner) as session:
        fault = broken(SshFrozen(runner))
        began = time.time()
        heard = len(ticks(session))
        assert peer.attempt(runner) == "open"
        assert peer.call(knock, Address(runner.address, 22), timedelta(seconds=1)).reached is Reached.SILENT
        assert len(ticks(session)) == heard
        peer.call(fault.undo)
        wait_until(lambda: ticks(session)[-1], lambda last: last > began + 1, what="the session goes on", within=timedelta(seconds=10))
        assert not session.ended


def test_a_stopped_sshd_refuses_and_its_sessions_end(lab: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner01"]
    with peer.ticking(runner) as session:
        broken(SshStopped(runner))
        assert peer.attempt(runner) == "refused"
        wait_until(lambda: session.ended, bool, what="the session ends", within=timedelta(seconds=5))


@pytest.mark.parametrize("kind", [ServiceRestarted, ProcessKilled])
def test_a_process_that_is_replaced_ends_its_connections(lab: Lab, peer: Peer, broken: Strike, kind: type[ServiceRestarted]) -> None:
    node = lab.machines["storage03"]
    before = node.run("pidof minio").stdout
    with closing(peer.connect(node, S3)) as link:
        broken(kind(node, MINIO))
        assert fate(link) in {"ended", "reset"}
    now = lambda: node.run("pidof minio").stdout  # noqa: E731 - a look
    wait_until(now, lambda pid: pid not in {"", before}, what="another process runs", within=timedelta(seconds=5))


@pytest.mark.parametrize("make", [lambda one: ServiceFrozen(one, HAPROXY), KeepalivedStopped])
def test_the_addresses_move_when_their_owner_fails(lab: Lab, peer: Peer, broken: Strike, make: Callable[[Machine], Fault]) -> None:
    before = owner(lab)
    broken(make(lab.machines[before]))
    for address in lab.topology.virtual_addresses:
        wait_until(
            lambda address=address: owners(lab, address),  # type: ignore[misc]
            lambda names: len(names) == 1 and names != [before],
            what=f"another balancer than {before} has {address}",
            within=timedelta(seconds=10),
        )
    assert peer.call(knock, lab.fleet.endpoint).reached is Reached.ANSWERED
    assert peer.call(health.live, lab.store.endpoint).ok


def test_a_strangers_key_is_another_key_until_it_is_healed(lab: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner03"]
    fault = broken(StrangersKey(runner))
    assert peer.host_key(runner) != lab.fleet.published.plain_keys["runner03"]
    assert peer.ssh(runner).reached is Reached.STRANGER
    peer.call(fault.undo)
    peer.call(fault.prove_recovery)
    assert peer.ssh(runner).ok
