"""Cables, filters, partitions and lost packets, as peers see them."""

from __future__ import annotations

import socket
from contextlib import closing
from datetime import timedelta

import pytest

from faults.network import TABLE, NetworkCut, PortBlocked
from faults.packets import PacketLoss, Partition
from model.errors import BadInput, FaultHadNoEffect
from model.lab import Lab, Machine
from model.topology import Address
from model.waiting import wait_until
from probes import health
from probes.outcomes import Reached
from tests.contract.faults.zoo import S3, Strike
from tests.contract.peer import Peer, fate, ticks

pytestmark = pytest.mark.proof

SILENT = 28
"""Exit status of curl(1) when the time is up."""


def asked_from(machine: Machine, other: Machine) -> int:
    """Exit status of curl on one machine that asks the store on another."""
    return machine.run(f"curl -s -o /dev/null -m 1 http://{other.address}:{S3}/minio/health/live").exit_status


def late(address: str, attempts: int) -> int:
    """How many of some connections were not there after 300 ms."""
    count = 0
    for _ in range(attempts):
        try:
            socket.create_connection((address, 22), 0.3).close()
        except TimeoutError:
            count += 1
    return count


def test_a_machine_without_network_is_silent_and_works_on(lab: Lab, owned: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner01"]
    with peer.ticking(runner) as session:
        fault = broken(NetworkCut(runner))
        heard = len(ticks(session))
        assert peer.attempt(runner) == "silent"
        assert owned.machines[runner.name].run("true").ok
        assert len(ticks(session)) <= heard + 1
        peer.call(fault.undo)
        wait_until(lambda: len(ticks(session)), lambda now: now > heard + 5, what="the session goes on", within=timedelta(seconds=20))


def test_a_port_that_refuses_resets_open_connections_and_leaves_other_ports_alone(lab: Lab, peer: Peer, broken: Strike) -> None:
    node = lab.machines["storage04"]
    with closing(peer.connect(node, S3)) as link:
        broken(PortBlocked(node, S3, Reached.REFUSED))
        assert peer.attempt(node, S3) == "refused"
        link.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert fate(link) == "reset"
    assert peer.attempt(node) == "open"
    assert node.run(f"curl -s -m 2 -o /dev/null http://127.0.0.1:{S3}/minio/health/live").ok, "not for itself"


def test_a_port_that_is_silent_leaves_other_ports_alone(lab: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner01"]
    with closing(peer.connect(runner)) as link:
        broken(PortBlocked(runner, 22, Reached.SILENT))
        link.sendall(b"anybody there?\r\n")
        assert fate(link) == "silent"
    assert peer.attempt(runner) == "silent"
    assert peer.attempt(runner, 1) == "refused"


def test_a_port_at_which_nobody_serves_cannot_be_blocked(lab: Lab, peer: Peer) -> None:
    runner = lab.machines["runner01"]
    with pytest.raises(FaultHadNoEffect, match="port 1 of runner01 is refused already"):
        peer.call(PortBlocked(runner, 1, Reached.REFUSED).strike)
    with pytest.raises(BadInput, match="refused or silent, not reset"):
        PortBlocked(runner, 22, Reached.RESET)
    assert not runner.run(f"nft list table inet {TABLE}").ok


def test_a_partition_keeps_out_one_machine_and_lets_its_own_packets_through(lab: Lab, peer: Peer, broken: Strike) -> None:
    deaf, unheard, third = (lab.machines[f"storage0{number}"] for number in (1, 2, 3))
    unheard.run("rm -f /root/heard; timeout 60 socat -u UDP-RECV:7777 CREATE:/root/heard >/dev/null 2>&1 & sleep 0.3")
    fault = broken(Partition(deaf, unheard, S3))
    assert asked_from(unheard, deaf) == SILENT
    assert asked_from(third, deaf) == 0
    assert peer.call(health.live, Address(deaf.address, S3)).ok
    deaf.run(f"echo one way | socat - UDP-SENDTO:{unheard.address}:7777")
    heard = lambda: unheard.run("cat /root/heard").stdout  # noqa: E731 - a look
    wait_until(heard, "one way\n".__eq__, what="what the deaf machine says arrives", within=timedelta(seconds=5))
    peer.call(fault.undo)
    assert asked_from(unheard, deaf) == 0


def test_some_packets_are_lost_and_not_all(lab: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner02"]
    assert peer.call(late, runner.address, 5) == 0
    fault = broken(PacketLoss(runner, 50))
    assert 0 < peer.call(late, runner.address, 20) < 20
    peer.call(fault.undo)
    assert peer.call(late, runner.address, 5) == 0
    with pytest.raises(BadInput, match="1 to 99 percent"):
        PacketLoss(runner, 100)


def test_only_the_table_of_faults_is_removed(lab: Lab, broken: Strike, peer: Peer) -> None:
    runner = lab.machines["runner01"]
    runner.run("nft add table inet of_the_operator")
    fault = broken(PortBlocked(runner, 22))
    peer.call(fault.undo)
    assert runner.run("nft list tables").stdout == "table inet of_the_operator\n"
    runner.run("nft delete table inet of_the_operator")
