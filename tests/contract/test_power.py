"""Power, as a peer on the network sees it: pulling the plug is silence, a shutdown is not."""

from __future__ import annotations

from contextlib import closing

import pytest

from model.errors import ControlChannelLost, MachineDidNotBoot
from model.lab import Machine
from provisioning.embedded.machine import EmbeddedMachine
from tests.contract.peer import Peer, fate


def boot_id(machine: Machine) -> str:
    return machine.run("cat /proc/sys/kernel/random/boot_id").stdout.strip()


def test_a_pulled_plug_is_silence_for_open_and_new_connections_alike(runner: Machine, other: Machine, peer: Peer) -> None:
    with closing(peer.connect(runner)) as link:
        runner.cut_power()
        assert not runner.is_on()
        assert fate(link) == "silent"
        link.sendall(b"still there?\r\n")
        assert fate(link) == "silent"
    assert peer.attempt(runner) == "silent"
    assert peer.answers(other)


def test_nothing_can_be_done_on_a_machine_without_power(runner: Machine) -> None:
    runner.cut_power()
    with pytest.raises(ControlChannelLost, match="runner01"):
        runner.run("true")


def test_nothing_runs_in_a_container_without_power(own_runner: EmbeddedMachine) -> None:
    own_runner.cut_power()
    assert own_runner.cgroup.processes() == set()
    with pytest.raises(ControlChannelLost, match="runner01 is off"):
        own_runner.run("true")


def test_the_plug_can_be_pulled_twice_but_power_comes_on_once(runner: Machine) -> None:
    runner.cut_power()
    runner.cut_power()
    runner.power_on()
    with pytest.raises(MachineDidNotBoot, match="on already"):
        runner.power_on()


def test_a_machine_that_gets_power_again_serves_with_its_old_disk_and_identity(runner: Machine, peer: Peer) -> None:
    key, boot = peer.host_key(runner), boot_id(runner)
    runner.run("echo mine > /root/kept && sync")
    runner.cut_power()
    runner.power_on()
    peer.await_answer(runner)
    assert peer.ssh(runner).ok
    assert peer.host_key(runner) == key
    assert runner.run("cat /root/kept").stdout == "mine\n"
    assert boot_id(runner) != boot


def test_a_shutdown_ends_connections_in_good_order_and_is_silent_after_that(runner: Machine, peer: Peer) -> None:
    with closing(peer.connect(runner)) as link:
        runner.shut_down()
        assert fate(link) in {"ended", "reset"}
    assert not runner.is_on()
    assert peer.attempt(runner) == "silent"


def test_a_reboot_ends_sessions_and_starts_another_boot(runner: Machine, peer: Peer) -> None:
    before = boot_id(runner)
    with closing(peer.connect(runner)) as link:
        runner.reboot()
        assert fate(link) in {"ended", "reset"}
    assert boot_id(runner) != before
    peer.await_answer(runner)


def test_a_container_that_was_shut_down_says_so_on_its_console(own_runner: EmbeddedMachine) -> None:
    own_runner.shut_down()
    assert "Power-Off" in own_runner.console() or "Power Off" in own_runner.console()
