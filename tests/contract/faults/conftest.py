"""One lab to break, a peer that looks at it, and a time that passes quickly where nothing will happen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from faults.fault import Fault
from model import waiting
from model.lab import Lab
from model.topology import topology
from model.waiting import wait_until
from probes.condition import Condition, look_at
from provisioning.embedded.driver import EmbeddedDriver
from tests.contract.peer import Peer
from tests.contract.temporary import temporary_lab
from tests.contract.views import GUEST, MAKER, View, seen_by

SERVES_WITHIN = timedelta(seconds=40)
FASTER = 8


@pytest.fixture(scope="package")
def owned(driver: EmbeddedDriver) -> Iterator[Lab]:
    """The lab, as the driver has it that made it."""
    with temporary_lab(driver, topology("production"), "faults") as made:
        yield made


@pytest.fixture(scope="package", params=[MAKER, pytest.param(GUEST, marks=pytest.mark.proof)])
def view(request: pytest.FixtureRequest, driver: EmbeddedDriver, owned: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """The same lab by each driver: what a fault does may not depend on it."""
    with seen_by(request.param, driver, owned, tmp_path_factory.mktemp("lab")) as seen:
        yield seen


@pytest.fixture(scope="package")
def peer(owned: Lab) -> Iterator[Peer]:
    there = Peer(owned)
    yield there
    there.close()


@pytest.fixture(scope="package")
def baseline(view: View, peer: Peer) -> Condition:
    """The lab as it came: it serves."""
    return wait_until(
        lambda: peer.call(look_at, view.lab), lambda seen: seen.is_good, what="the lab serves", within=SERVES_WITHIN, in_a_row=2
    ).value


@pytest.fixture
def broken(lab: Lab, owned: Lab, peer: Peer, baseline: Condition) -> Iterator[Callable[[Fault], Fault]]:
    """Strike with a fault, as a scenario's thread does; healed and recovered from in the end, as often as one likes."""
    struck: list[Fault] = []

    def strike(fault: Fault) -> Fault:
        struck.append(fault)
        peer.call(fault.strike)
        return fault

    yield strike
    try:
        for fault in reversed(struck):
            peer.call(fault.undo)
            peer.call(fault.heal)
            peer.call(fault.prove_recovery)
        await_baseline(lab, peer, baseline)
    except Exception:
        for name in {machine.name for fault in struck for machine in fault.machines}:  # so that other tests may still tell
            owned.machines[name].cut_power()
            owned.machines[name].power_on()
        raise


def await_baseline(lab: Lab, peer: Peer, baseline: Condition) -> None:
    """Wait until nothing is worse than the lab came."""
    wait_until(
        lambda: peer.call(look_at, lab).worse_than(baseline),
        lambda worse: not worse,
        what="nothing is worse than before the fault",
        within=SERVES_WITHIN,
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are over sooner: ten seconds of a wait take little more than one."""
    assert waiting.wait_until.__kwdefaults__ is not None
    clock = waiting.Clock(lambda: time.monotonic() * FASTER, lambda seconds: time.sleep(seconds / FASTER))
    monkeypatch.setitem(waiting.wait_until.__kwdefaults__, "clock", clock)
