"""What holds for every kind of fault, those included that will be written later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from faults.registry import kinds
from faults.storage import StorageFull
from model.errors import FaultHadNoEffect
from model.lab import Ability, Lab
from probes.condition import Condition
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork
from tests.contract.faults.conftest import await_baseline
from tests.contract.faults.zoo import ONE_OF_EACH
from tests.contract.peer import Peer


def proof_without_injection(lab: Lab, title: str) -> str:
    """What a fault says that only pretends to strike; empty when it takes its own word for it."""
    fault = ONE_OF_EACH[title](lab)
    fault.inject = lambda: None  # type: ignore[method-assign]
    try:
        fault.strike()
    except FaultHadNoEffect as error:
        return str(error)
    return ""


@pytest.mark.usefixtures("impatient")
def test_no_fault_takes_its_own_word_for_its_effect(lab: Lab, baseline: Condition) -> None:
    assert baseline.is_good
    with ThreadPoolExecutor(max_workers=len(ONE_OF_EACH), initializer=LabNetwork(LabNames(lab.name)).enter) as threads:
        said = dict(zip(ONE_OF_EACH, threads.map(lambda title: proof_without_injection(lab, title), ONE_OF_EACH), strict=True))
    assert [title for title, words in said.items() if not words] == []


def test_every_kind_is_here() -> None:
    assert ONE_OF_EACH.keys() | {StorageFull.title} == kinds().keys(), "a full store has a lab of its own"


@pytest.mark.parametrize("title", ONE_OF_EACH)
def test_every_kind_is_tested_under_its_own_title(lab: Lab, title: str) -> None:
    assert type(ONE_OF_EACH[title](lab)) is kinds()[title]


def test_healing_does_no_harm_where_nothing_is_broken(lab: Lab, peer: Peer, baseline: Condition) -> None:
    before = {machine.name: machine.run("cat /proc/sys/kernel/random/boot_id").stdout for machine in lab.machines.values()}
    for make in ONE_OF_EACH.values():
        fault = make(lab)
        peer.call(fault.heal)
        peer.call(fault.heal)
    after = {machine.name: machine.run("cat /proc/sys/kernel/random/boot_id").stdout for machine in lab.machines.values()}
    assert after == before
    await_baseline(lab, peer, baseline)


def test_healing_does_no_harm_to_machines_that_lost_their_power(lab: Lab, peer: Peer, baseline: Condition) -> None:
    machine = lab.machines["runner03"]
    faults = [make(lab) for make in ONE_OF_EACH.values()]
    powerless = [fault for fault in faults if fault.ability in {Ability.CONTROL, Ability.DISCONNECT}]
    try:
        machine.cut_power()
        for fault in powerless:
            if fault.machines == (fault.machine,):
                fault.machine = machine
            peer.call(fault.heal)
        assert len(powerless) > 10
        assert not machine.is_on()
    finally:
        machine.power_on()
    await_baseline(lab, peer, baseline)
