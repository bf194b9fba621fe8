"""What a machine is by every driver: its name, its abilities, its control channel, its identity after it was built anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model.errors import AbilityMissing, ControlChannelLost
from model.lab import Ability, Lab, Machine
from model.waiting import wait_until
from probes.openssh import pipeline_client
from tests.contract.peer import PATIENCE, Peer


def test_the_lab_is_the_same_by_every_driver(lab: Lab, owned: Lab) -> None:
    assert (lab.name, lab.topology.name) == (owned.name, owned.topology.name)
    assert [machine.spec.name for machine in lab.machines.values()] == list(owned.machines) == list(lab.machines)
    for name, machine in lab.machines.items():
        its = owned.machines[name]
        assert (machine.address, machine.spec.roles, machine.ssh) == (its.address, its.spec.roles, its.ssh)
        assert machine.run("hostname").stdout == f"{name}\n"
    assert (lab.fleet.endpoint, lab.fleet.user, lab.backend_settings) == (owned.fleet.endpoint, owned.fleet.user, owned.backend_settings)
    assert dict(lab.fleet.published.plain_keys) == dict(owned.fleet.published.plain_keys)
    assert (lab.store.url, lab.store.bucket, lab.store.own) == (owned.store.url, owned.store.bucket, owned.store.own)
    assert (lab.store.access_key, lab.store.secret_key) == (owned.store.access_key, owned.store.secret_key)


def test_what_a_driver_cannot_do_is_refused(runner: Machine) -> None:
    with pytest.raises(AbilityMissing, match=f"the lab's driver cannot do this to runner01: {Ability.INSPECT.value}"):
        runner.inspect()


def test_every_ability_is_there_but_for_drives_that_nobody_asked_for_and_a_hypervisor(lab: Lab) -> None:
    expected = dict.fromkeys(lab.machines, frozenset(Ability) - {Ability.FILL_DRIVE, Ability.INSPECT})
    assert {machine.name: machine.abilities for machine in lab.machines.values()} == expected


def test_the_control_channel_tells_streams_status_and_standard_input_apart(runner: Machine) -> None:
    done = runner.run("cat; echo wrong >&2; exit 3", stdin=b"in")
    assert (done.stdout, done.stderr, done.exit_status, done.machine) == ("in", "wrong\n", 3, "runner01")


def test_a_command_that_does_not_end_is_given_up(runner: Machine) -> None:
    with pytest.raises(ControlChannelLost, match=r"`sleep 60` on runner01 did not end within 0\.5 s"):
        runner.run("sleep 60", timeout=timedelta(seconds=0.5))


def test_testinfra_sees_the_machine(runner: Machine) -> None:
    host = runner.host
    assert host.service("ssh").is_running
    assert host.file("/etc/hostname").content_string == "runner01\n"
    assert host.interface("host0").addresses[0] == "10.1.0.103"
    assert host.package("openssh-server").is_installed


def test_a_rebuilt_machine_has_nothing_of_the_old_one_and_is_still_trusted(lab: Lab, runner: Machine, peer: Peer) -> None:
    old = peer.host_key(runner)
    assert old == lab.fleet.published.plain_keys["runner01"]
    runner.run("touch /root/old /home/pipeline/old; sync")
    runner.rebuild()
    peer.await_answer(runner)
    after = peer.ssh(runner, "ls -A /home/pipeline/old")
    assert after.exit_status == 2
    assert runner.run("test -e /root/old").exit_status == 1
    assert peer.host_key(runner) == lab.fleet.published.plain_keys["runner01"] != old


def test_a_pipeline_recognises_a_rebuilt_runner_behind_the_endpoint(lab: Lab, runner: Machine, peer: Peer) -> None:
    runner.rebuild()
    client = pipeline_client(lab)

    def who() -> str:
        return peer.call(client.run, "hostname").stdout.strip()

    wait_until(who, "runner01".__eq__, what="the rebuilt runner01 answers at the runner endpoint", within=PATIENCE)
