"""Storage machines refuse one that lost its power: nobody waits for it, and it is let in again when it answers."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from faults.power import PlugPulled
from model.lab import Lab, Machine
from model.waiting import wait_until
from provisioning.roles.reference import REFUSE
from tests.contract.faults.zoo import S3, Strike

pytestmark = pytest.mark.proof

WITHIN = timedelta(seconds=15)
"""2 to 3 s, measured."""
LONG_ENOUGH_SECONDS = 5


def refused_by(node: Machine, peer: Machine) -> bool:
    """Whether connections from one machine to the other fail before a packet is sent."""
    return "unreachable" in node.run(f"ip rule list to {peer.address}").stdout


def await_refusal(node: Machine, peer: Machine, *, wanted: bool) -> None:
    """Wait until one machine refuses the other, or no more."""
    what = f"{node.name} {'refuses' if wanted else 'lets in'} {peer.name}"
    wait_until(lambda: refused_by(node, peer), lambda seen: seen == wanted, what=what, within=WITHIN)


def test_a_machine_without_power_is_refused_by_the_others_until_it_answers_again(lab: Lab, broken: Strike) -> None:
    lost, *others = lab.storage
    fault = broken(PlugPulled(lost))
    for node in others:
        await_refusal(node, lost, wanted=True)
        assert not node.run(f"ss --no-header --tcp --numeric dst {lost.address}").stdout
        tried = node.run(f"curl --silent --show-error --max-time 10 --write-out '%{{time_total}}' http://{lost.at(S3)}/minio/health/live")
        assert float(tried.stdout) < 1.0, tried.text
    assert not any(refused_by(node, other) for node in others for other in others if node != other)
    fault.undo()
    for node in others:
        await_refusal(node, lost, wanted=False)


def test_a_machine_that_never_answered_is_left_alone(lab: Lab, broken: Strike) -> None:
    lost, node = lab.machines["storage04"], lab.machines["storage02"]
    broken(PlugPulled(lost))
    assert node.run(f"systemctl restart {REFUSE}").ok
    ends = time.monotonic() + LONG_ENOUGH_SECONDS
    while time.monotonic() < ends:
        assert not refused_by(node, lost)
        time.sleep(0.2)
