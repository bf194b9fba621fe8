"""Power, taken and given back by faults: what a peer sees, and that the machine serves again."""

from __future__ import annotations

from contextlib import closing

import pytest

from faults.fault import Fault
from faults.power import PlugPulled, Reboot, ShutDown
from faults.rebuild import Rebuilt
from model.lab import Lab
from tests.contract.faults.zoo import Strike
from tests.contract.peer import Peer, fate

pytestmark = pytest.mark.proof

BOOT = "cat /proc/sys/kernel/random/boot_id"


@pytest.mark.parametrize(("kind", "link_is"), [(PlugPulled, {"silent"}), (ShutDown, {"ended", "reset"})])
def test_a_machine_without_power_is_silent(lab: Lab, peer: Peer, broken: Strike, kind: type[Fault], link_is: set[str]) -> None:
    runner = lab.machines["runner01"]
    with closing(peer.connect(runner)) as link:
        fault = broken(kind(runner))
        assert peer.attempt(runner) == "silent"
        assert fate(link) in link_is
    assert not runner.is_on()
    peer.call(fault.undo)
    peer.call(fault.prove_recovery)
    assert runner.is_on()


def test_a_reboot_is_another_boot(lab: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner03"]
    before = runner.run(BOOT).stdout
    with closing(peer.connect(runner)) as link:
        broken(Reboot(runner))
        assert fate(link) in {"ended", "reset"}
    assert runner.run(BOOT).stdout != before


def test_a_machine_that_is_made_anew_has_another_key_and_is_still_trusted(lab: Lab, peer: Peer, broken: Strike) -> None:
    runner = lab.machines["runner02"]
    key = peer.host_key(runner)
    fault = broken(Rebuilt(runner))
    peer.call(fault.prove_recovery)
    assert peer.host_key(runner) == lab.fleet.published.plain_keys["runner02"] != key
    assert peer.ssh(runner).ok
