# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the API says happens to the machine behind the VM, seen from outside; and the contract of drivers, as embedded machines keep it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from model.lab import Ability, Lab, Machine
from model.waiting import wait_until
from probes.condition import look_at
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.machine import VmMachine
from tests.contract.peer import PATIENCE, Peer, fate, ticks
from tests.contract.test_container import (  # noqa: F401 - the same tests on other machines
    test_a_runner_has_the_guides_two_cores_and_2048_mib,
    test_memory_beyond_the_limit_is_not_to_be_had,
)
from tests.contract.test_machine import (  # noqa: F401
    test_a_pipeline_recognises_a_rebuilt_runner_behind_the_endpoint,
    test_a_rebuilt_machine_has_nothing_of_the_old_one_and_is_still_trusted,
    test_testinfra_sees_the_machine,
    test_the_control_channel_tells_streams_status_and_standard_input_apart,
)
from tests.contract.test_power import (  # noqa: F401
    boot_id,
    test_a_machine_that_gets_power_again_serves_with_its_old_disk_and_identity,
    test_a_pulled_plug_is_silence_for_open_and_new_connections_alike,
    test_a_reboot_ends_sessions_and_starts_another_boot,
)
from tests.contract.test_silence import (  # noqa: F401
    silence_of,
    test_a_suspended_machine_stands_still_and_its_sessions_go_on_after_it,
)
from tests.rehearsal.rehearsal import Rehearsal

ROOT = Path(__file__).parents[2]


def state_of(rehearsal: Rehearsal, machine: VmMachine) -> tuple[str, str]:
    """What the API says of a VM."""
    return rehearsal.serving.do(lambda cluster: (cluster.vm(machine.vm.number).status, cluster.vm(machine.vm.number).qmpstatus))


def test_every_ability_is_there_but_for_a_drive_to_fill(lab: Lab) -> None:
    assert {machine.abilities for machine in lab.machines.values()} == {frozenset(Ability) - {Ability.FILL_DRIVE}}


def test_a_machine_is_what_the_module_says_in_the_api_and_inside(lab: Lab, runner: VmMachine) -> None:
    seen = runner.inspect()
    assert (seen.name, seen.address, seen.cpu_cores, seen.memory_mb) == ("tofu-runner01", "10.1.0.103", 2, 2048)
    assert runner.run("hostname").stdout == "runner01\n"
    assert "inet 10.1.0.103/24 " in runner.run("ip -4 addr show host0").stdout
    assert len({machine.inspect().place for machine in lab.machines.values() if machine.name.startswith("runner")}) == 3


def test_a_rehearsal_is_listed_as_what_it_is(lab: Lab, rehearsal: Rehearsal) -> None:
    command = [sys.executable, "-m", "provisioning", "list"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    name = rehearsal.folder.parent.name
    assert f"{name}: a stand-in of Proxmox VE to rehearse with, {len(lab.machines)} of {len(lab.machines)} machines on, " in listed
    assert f"contract: single, on {rehearsal.serving.endpoint}, " in listed
    assert f"ssh fleet --lab {name}" not in listed


def test_cloud_init_made_an_account_that_may_become_root(runner: VmMachine) -> None:
    assert runner.run("su debian -c 'sudo -n id -un'").stdout == "root\n"
    assert runner.run("wc -l < /home/debian/.ssh/authorized_keys").stdout == "1\n"


def test_a_shutdown_ends_connections_in_good_order_and_is_silent_after_that(runner: VmMachine, peer: Peer, rehearsal: Rehearsal) -> None:
    with closing(peer.connect(runner)) as link:
        runner.shut_down()
        assert fate(link) in {"ended", "reset"}
    assert state_of(rehearsal, runner) == ("stopped", "stopped")
    assert peer.attempt(runner) == "silent"


def test_the_api_says_that_a_suspended_machine_is_paused(runner: VmMachine, rehearsal: Rehearsal) -> None:
    runner.suspend()
    assert runner.is_on()
    assert state_of(rehearsal, runner) == ("running", "paused")


def test_a_machine_without_link_works_on_and_its_sessions_survive(runner: VmMachine, other: Machine, peer: Peer) -> None:
    with peer.ticking(runner) as session:
        runner.disconnect()
        heard = len(ticks(session))
        began, ended = silence_of(runner, peer)
        assert len(ticks(session)) <= heard + 1
        assert peer.answers(other)
        runner.reconnect()
        wait_until(lambda: ticks(session)[-1], lambda last: last > ended, what="the session goes on", within=PATIENCE)
        told = [tick for tick in ticks(session) if began <= tick <= ended]
    assert len(told) > 3


def test_a_machine_that_was_unplugged_stays_so_over_suspend_and_power(runner: VmMachine, peer: Peer) -> None:
    runner.disconnect()
    runner.suspend()
    runner.resume()
    assert peer.attempt(runner) == "silent"
    runner.cut_power()
    runner.vm.do("on")
    assert peer.attempt(runner) == "silent"
    runner.reconnect()
    peer.await_answer(runner)


def test_a_machine_that_switches_itself_off_is_off_for_the_api(runner: VmMachine, peer: Peer, rehearsal: Rehearsal) -> None:
    runner.run("systemctl --no-block poweroff")
    wait_until(
        lambda: state_of(rehearsal, runner),
        lambda seen: seen == ("stopped", "stopped"),
        what="the API knows that it is off",
        within=PATIENCE,
    )
    assert peer.attempt(runner) == "silent"


def test_a_machine_that_hears_no_button_is_told_of_and_goes_on(runner: VmMachine, pve: ProxmoxDriver, peer: Peer) -> None:
    runner.suspend()
    vm = pve.cluster.vm(runner.vm.number)
    upid = pve.cluster.call("shutdown", lambda api: api.nodes(vm.node).qemu(vm.id).status.shutdown.post(timeout=2))
    wait_until(
        lambda: pve.cluster.call("task", lambda api: api.nodes(vm.node).tasks(upid).status.get()),
        lambda seen: seen.get("exitstatus") == "VM quit/powerdown failed - got timeout",
        what="the task fails",
        within=timedelta(seconds=20),
    )
    runner.resume()
    peer.await_answer(runner)


def test_who_knew_a_machine_reaches_the_one_that_is_made_anew_in_its_place(lab: Lab, runner: VmMachine, peer: Peer) -> None:
    balancer = lab.machines["balancer01"]
    reaches = "timeout 2 bash -c 'head -c 4 < /dev/tcp/10.1.0.103/22'"
    known = "ip neigh show to 10.1.0.103 dev host0"
    assert balancer.run(reaches).stdout == "SSH-"
    before = balancer.run(known).stdout.split()[1:3]
    runner.rebuild()
    assert balancer.run(reaches).stdout == "SSH-"
    assert balancer.run(known).stdout.split()[1:3] == before == ["lladdr", runner.run("cat /sys/class/net/host0/address").stdout.strip()]


def test_a_rollback_brings_the_disk_back_and_keeps_the_identity(runner: VmMachine, peer: Peer) -> None:
    key, boot = peer.host_key(runner), boot_id(runner)
    runner.run("touch /root/later; rm /etc/tofu/backend.tfbackend; sync")
    runner.rollback()
    peer.await_answer(runner)
    assert runner.run("ls /root /etc/tofu").stdout.split() == ["/etc/tofu:", "backend.tfbackend", "credentials", "/root:"]
    assert peer.host_key(runner) == key
    assert boot_id(runner) != boot


def test_a_lab_that_was_left_broken_goes_back_to_how_it_came(lab: Lab, pve: ProxmoxDriver, runner: VmMachine) -> None:
    balancer = lab.machines["balancer01"]
    balancer.run("rm /etc/haproxy/haproxy.cfg; systemctl stop haproxy; sync")
    lab.machines["runner02"].cut_power()
    runner.disconnect()
    assert not look_at(lab).is_good
    assert pve.reset(lab)
    wait_until(lambda: look_at(lab), lambda seen: seen.is_good, what="everything serves again", within=PATIENCE)


def test_a_machine_whose_start_fails_is_off_for_the_api(runner: VmMachine, pve: ProxmoxDriver, rehearsal: Rehearsal) -> None:
    runner.cut_power()
    number = runner.vm.number
    kept = rehearsal.serving.do(lambda cluster: str(cluster.vm(number).config["ipconfig0"]))
    rehearsal.serving.do(lambda cluster: cluster.vm(number).config.update(ipconfig0="ip=dhcp"))
    try:
        vm = pve.cluster.vm(number)
        upid = pve.cluster.call("start", lambda api: api.nodes(vm.node).qemu(vm.id).status.start.post())
        seen = wait_until(
            lambda: pve.cluster.call("task", lambda api: api.nodes(vm.node).tasks(upid).status.get()),
            lambda task: task["status"] == "stopped",
            what="the task ends",
            within=PATIENCE,
        )
        assert "no address of the rehearsal's network" in seen.value["exitstatus"]
        assert state_of(rehearsal, runner) == ("stopped", "stopped")
    finally:
        rehearsal.serving.do(lambda cluster: cluster.vm(number).config.update(ipconfig0=kept))
