"""What a machine is: its limits, its control channel, its identity after it was built anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model.errors import ControlChannelLost
from model.lab import Ability, Lab
from model.waiting import wait_until
from probes.openssh import pipeline_client
from provisioning.embedded.machine import EmbeddedMachine
from tests.contract.peer import PATIENCE, Peer

MEMORY = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
CORES = "cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"


def test_a_runner_has_the_guides_two_cores_and_2048_mib(runner: EmbeddedMachine) -> None:
    assert runner.run(MEMORY).stdout.split() == [str(2048 << 20)]
    quota, period = (int(number) for number in runner.run(CORES).stdout.split())
    assert quota / period == 2


def test_memory_beyond_the_limit_is_not_to_be_had(runner: EmbeddedMachine) -> None:
    eater = "systemd-run --quiet --wait perl -e '$x = \"x\" x (3 << 30)'"
    ended = runner.run(eater, timeout=timedelta(seconds=60))
    assert ended.exit_status != 0
    assert runner.run("true").ok


def test_every_ability_is_there_but_for_drives_that_nobody_asked_for_and_a_hypervisor(lab: Lab) -> None:
    expected = dict.fromkeys(lab.machines, frozenset(Ability) - {Ability.FILL_DRIVE, Ability.INSPECT})
    assert {machine.name: machine.abilities for machine in lab.machines.values()} == expected


def test_the_control_channel_survives_the_end_of_sshd(runner: EmbeddedMachine, peer: Peer) -> None:
    try:
        runner.run("systemctl stop ssh")
        assert peer.attempt(runner) == "refused"
        assert runner.run("hostname").stdout == "runner01\n"
        assert not runner.host.service("ssh").is_running
    finally:
        runner.run("systemctl start ssh")


def test_the_control_channel_tells_streams_status_and_standard_input_apart(runner: EmbeddedMachine) -> None:
    done = runner.run("cat; echo wrong >&2; exit 3", stdin=b"in")
    assert (done.stdout, done.stderr, done.exit_status, done.machine) == ("in", "wrong\n", 3, "runner01")


def test_a_command_that_does_not_end_is_given_up(runner: EmbeddedMachine) -> None:
    with pytest.raises(ControlChannelLost, match=r"`sleep 60` on runner01 did not end within 0\.5 s"):
        runner.run("sleep 60", timeout=timedelta(seconds=0.5))


def test_testinfra_sees_the_machine(runner: EmbeddedMachine) -> None:
    host = runner.host
    assert host.service("ssh").is_running
    assert host.file("/etc/hostname").content_string == "runner01\n"
    assert host.interface("host0").addresses[0] == "10.1.0.103"
    assert host.package("openssh-server").is_installed


def test_a_rebuilt_machine_has_nothing_of_the_old_one_and_is_still_trusted(lab: Lab, runner: EmbeddedMachine, peer: Peer) -> None:
    old = peer.host_key(runner)
    assert old == lab.fleet.published.plain_keys["runner01"]
    runner.run("touch /root/old /home/pipeline/old; sync")
    runner.rebuild()
    peer.await_answer(runner)
    after = peer.ssh(runner, "ls -A /home/pipeline/old")
    assert after.exit_status == 2
    assert runner.run("test -e /root/old").exit_status == 1
    assert peer.host_key(runner) == lab.fleet.published.plain_keys["runner01"] != old


def test_a_pipeline_recognises_a_rebuilt_runner_behind_the_endpoint(lab: Lab, runner: EmbeddedMachine, peer: Peer) -> None:
    runner.rebuild()
    client = pipeline_client(lab)

    def who() -> str:
        return peer.call(client.run, "hostname").stdout.strip()

    wait_until(who, "runner01".__eq__, what="the rebuilt runner01 answers at the runner endpoint", within=PATIENCE)


def test_the_console_tells_of_every_boot(runner: EmbeddedMachine) -> None:
    boots = runner.console(10_000).count("Welcome to")
    runner.reboot()
    assert runner.console(10_000).count("Welcome to") == boots + 1
