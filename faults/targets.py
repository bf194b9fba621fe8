"""Whom to break, by role: the machine that matters at this moment, not a name."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from model.errors import PromiseBroken
from model.history import Operation
from model.lab import Lab, Machine
from probes.condition import owners
from probes.store import StoreProbe


def runner_that_answered_last(lab: Lab, operations: Iterable[Operation]) -> Machine:
    """The runner that answered last, by a client's history.

    Raises:
        PromiseBroken: No runner has answered.
    """
    runners = {runner.name: runner for runner in lab.runners}
    answered = [each for each in operations if each.ok and each.who in runners]
    if not answered:
        raise PromiseBroken(f"expected a runner to answer at {lab.fleet.endpoint}; observed that none did")
    return runners[max(answered, key=lambda each: each.ended).who]


def balancer_that_owns(lab: Lab, address: str | None = None) -> Machine:
    """The balancer that has a virtual address.

    Args:
        lab: The lab.
        address: That of the runner endpoint unless given.

    Raises:
        PromiseBroken: None has it, or more than one.
    """
    wanted = address or lab.fleet.endpoint.host
    names = owners(lab, wanted)
    if len(names) != 1:
        raise PromiseBroken(f"expected one balancer to have {wanted}; observed {' and '.join(names) or 'none'}")
    return lab.machines[names[0]]


def each_storage_node(lab: Lab) -> tuple[Machine, ...]:
    """Every storage node, in order."""
    return tuple(lab.storage)


def any_storage_node(lab: Lab, dice: Random) -> Machine:
    """One storage node, as the dice fall."""
    return dice.choice(lab.storage)


def runner_that_holds(lab: Lab, store: StoreProbe, state_key: str) -> Machine:
    """The runner that holds the lock of a state, as the lock object says.

    Raises:
        PromiseBroken: Nobody holds it, the store does not say, or who holds it is no runner.
    """
    found = store.lock_object(state_key)
    if found.value is None:
        raise PromiseBroken(f"expected a runner to hold the lock of {state_key}; observed {found.error or 'no lock'}")
    runners = {runner.name: runner for runner in lab.runners}
    if found.value.hostname not in runners:
        raise PromiseBroken(f"expected a runner to hold the lock of {state_key}; observed {found.value.who}")
    return runners[found.value.hostname]
