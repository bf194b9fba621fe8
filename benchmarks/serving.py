"""When a lab serves: the same looks for every kind of lab, from inside its network."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from model.lab import Lab
from model.topology import Address
from model.waiting import wait_until
from probes import health
from probes.condition import look_at
from probes.outcomes import Reached
from probes.ssh import knock

T = TypeVar("T")
HEALTHY = 200
LOOK_WITHIN = timedelta(milliseconds=500)
SERVING_WITHIN = timedelta(seconds=60)
EVERY = timedelta(milliseconds=20)


@dataclass(frozen=True)
class Serving:
    """Seconds from the call until each of them, one after the other.

    Attributes:
        store: Every storage machine says that it can write (`/minio/health/cluster`).
        address: A runner's SSH banner came through the runner endpoint, the store answered through its own.
        everything: A look at every machine, pool and address found nothing that does not serve.
    """

    store: float
    address: float
    everything: float


def inside(enter: Callable[[], object], work: Callable[[], T]) -> T:
    """Do something in a thread of its own that first moves into a lab's network; the calling thread stays where it is.

    Args:
        enter: Moves the calling thread.
        work: What to do there.
    """
    with ThreadPoolExecutor(max_workers=1, initializer=enter) as thread:
        return thread.submit(work).result()


def await_serving(lab: Lab) -> Serving:
    """Wait in the lab's network until everything serves.

    Raises:
        DeadlineMissed: It does not within a minute.
    """
    begun = time.monotonic()
    moments = []
    looks: list[tuple[str, Callable[[], bool]]] = [
        ("every storage machine can write", lambda: _store_writes(lab)),
        ("both endpoints answer", lambda: _endpoints_answer(lab)),
        ("everything serves", lambda: look_at(lab).is_good),
    ]
    for what, look in looks:
        wait_until(look, bool, what=what, within=SERVING_WITHIN, every=EVERY)
        moments.append(time.monotonic() - begun)
    return Serving(*moments)


def _store_writes(lab: Lab) -> bool:
    port = lab.topology.storage_port
    return all(health.cluster(Address(machine.address, port), LOOK_WITHIN).status == HEALTHY for machine in lab.storage)


def _endpoints_answer(lab: Lab) -> bool:
    answered = knock(lab.fleet.endpoint, LOOK_WITHIN).reached is Reached.ANSWERED
    return answered and health.live(lab.store.endpoint, LOOK_WITHIN).status == HEALTHY
