"""Sentences about the addresses that move between balancers."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pytest_bdd import given, parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.power import PlugPulled
from faults.service import KeepalivedStopped, ServiceFrozen, ServiceStopped
from faults.targets import balancer_that_owns
from model.errors import AcceptanceError
from model.lab import Lab, Machine
from model.waiting import wait_until
from probes.clients.addresses import AddressClient
from probes.clients.crew import Clients
from probes.condition import owners_of_all
from probes.outcomes import Reached
from probes.ssh import knock
from probes.stopwatch import Stopwatch
from probes.store import StoreProbe

HAPROXY = "haproxy.service"
KNOCK_WITHIN = timedelta(seconds=2)
SERVES_WITHIN = LOOKED_WITHIN = timedelta(seconds=10)
STAYS_FOR_SECONDS = 5
LOOKS = 10


@pytest.fixture
def looks(lab: Lab, clients: Clients) -> AddressClient:
    """Looks for the addresses from before the fault."""
    return clients.start(AddressClient(lab))


@given("the balancer that has the address of the endpoint", target_fixture="owner")
def find_owner(lab: Lab) -> Machine:
    return balancer_that_owns(lab)


@when("its power is cut", target_fixture="fault")
def cut_power(breaker: Breaker, owner: Machine, looks: AddressClient) -> Fault:
    return _inject(breaker, looks, PlugPulled(owner))


@when("its HAProxy is stopped", target_fixture="fault")
def stop_haproxy(breaker: Breaker, owner: Machine, looks: AddressClient) -> Fault:
    return _inject(breaker, looks, ServiceStopped(owner, HAPROXY))


@when("its HAProxy freezes", target_fixture="fault")
def freeze_haproxy(breaker: Breaker, owner: Machine, looks: AddressClient) -> Fault:
    return _inject(breaker, looks, ServiceFrozen(owner, HAPROXY))


@when("its keepalived is stopped", target_fixture="fault")
def stop_keepalived(breaker: Breaker, owner: Machine, looks: AddressClient) -> Fault:
    return _inject(breaker, looks, KeepalivedStopped(owner))


def _inject(breaker: Breaker, looks: AddressClient, fault: Fault) -> Fault:
    looks.await_ended(1, since=0.0, within=LOOKED_WITHIN)
    return breaker.inject(fault)


@then(parsers.parse("the other balancer has the address within {seconds:d} seconds, and is the only one"))
def check_moved(owner: Machine, fault: Fault, seconds: int, looks: AddressClient, stopwatch: Stopwatch) -> None:
    stopwatch.await_promise(
        lambda: looks.moved_from(owner.name),
        lambda move: move.ended is not None,
        what=f"another balancer than {owner.name} has the addresses, as the only one, and the endpoint answers there",
        within=seconds,
        since=fault.struck_at,
        name="address moved after",
        came_about=lambda move: move.ended or math.inf,
        fault=str(fault.title),
    )
    looks.stop()


@then("both endpoints serve")
def check_endpoints(lab: Lab, store: StoreProbe) -> None:
    wait_until(
        lambda: (knock(lab.fleet.endpoint, KNOCK_WITHIN).reached, store.leave_nothing(lab.store.key("condition", "endpoint"))),
        lambda seen: seen[0] is Reached.ANSWERED and seen[1] is None,
        what=f"{lab.fleet.endpoint} and {lab.store.endpoint} serve",
        within=SERVES_WITHIN,
    )


@then("nothing moves back when it returns")
def check_stays(lab: Lab, owner: Machine, breaker: Breaker, fault: Fault) -> None:
    breaker.heal(fault)
    after = owners_of_all(lab)
    wait_until(
        lambda: owners_of_all(lab),
        lambda names: names == after and all(found != [owner.name] for found in names.values()),
        what=f"the addresses stay where they are although {owner.name} is back",
        within=timedelta(seconds=2 * STAYS_FOR_SECONDS),
        every=timedelta(seconds=STAYS_FOR_SECONDS / LOOKS),
        in_a_row=LOOKS,
        give_up_when=lambda names: names != after,
    )


@when(parsers.parse("all balancers are busy for {seconds:d} seconds"), target_fixture="seen_owners")
def keep_busy(lab: Lab, seconds: int) -> list[dict[str, list[str]]]:
    """As many endless loops as there are cores, and one more, on each balancer; meanwhile a look twice a second."""
    loops = f"for each in $(seq $(($(nproc) + 1))); do timeout {seconds} sh -c 'while :; do :; done' & done; wait"
    seen: list[dict[str, list[str]]] = []
    with ThreadPoolExecutor(max_workers=len(lab.balancers)) as pool:
        busy = [pool.submit(balancer.run, loops, timeout=timedelta(seconds=2 * seconds)) for balancer in lab.balancers]

        def look() -> bool:
            seen.append(owners_of_all(lab))
            return all(each.done() for each in busy)

        wait_until(
            look,
            bool,
            what="the balancers are idle again",
            within=timedelta(seconds=2 * seconds),
            every=timedelta(milliseconds=500),
            error=AcceptanceError,
        )
    return seen


@then("it had the address all the time")
def check_never_moved(owner: Machine, seen_owners: list[dict[str, list[str]]], measure: Callable[..., object]) -> None:
    measure("looks at a busy lab", len(seen_owners), "looks")
    for number, names in enumerate(seen_owners, 1):
        for address, having in names.items():
            assert having == [owner.name], (
                f"expected {owner.name} to have {address} in look {number} of {len(seen_owners)}; observed {having or 'nobody'}"
            )
