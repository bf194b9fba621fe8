"""What only a machine of an embedded lab is: its limits, its console, a control channel that needs no sshd."""

from __future__ import annotations

from datetime import timedelta

from provisioning.embedded.machine import EmbeddedMachine
from tests.contract.peer import Peer

MEMORY = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
CORES = "cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"


def test_a_runner_has_the_guides_two_cores_and_2048_mib(own_runner: EmbeddedMachine) -> None:
    assert own_runner.run(MEMORY).stdout.split() == [str(2048 << 20)]
    quota, period = (int(number) for number in own_runner.run(CORES).stdout.split())
    assert quota / period == 2


def test_memory_beyond_the_limit_is_not_to_be_had(own_runner: EmbeddedMachine) -> None:
    eater = "systemd-run --quiet --wait perl -e '$x = \"x\" x (3 << 30)'"
    ended = own_runner.run(eater, timeout=timedelta(seconds=60))
    assert ended.exit_status != 0
    assert own_runner.run("true").ok


def test_the_control_channel_survives_the_end_of_sshd(own_runner: EmbeddedMachine, peer: Peer) -> None:
    try:
        own_runner.run("systemctl stop ssh")
        assert peer.attempt(own_runner) == "refused"
        assert own_runner.run("hostname").stdout == "runner01\n"
        assert not own_runner.host.service("ssh").is_running
    finally:
        own_runner.run("systemctl start ssh")


def test_the_console_tells_of_every_boot(own_runner: EmbeddedMachine) -> None:
    boots = own_runner.console(10_000).count("Welcome to")
    own_runner.reboot()
    assert own_runner.console(10_000).count("Welcome to") == boots + 1
