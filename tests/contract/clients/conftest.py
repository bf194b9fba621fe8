"""One lab with three runners, and a thread that lives in its network as the thread of a scenario does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from model.lab import Lab
from model.topology import topology
from model.waiting import wait_until
from probes.condition import look_at
from probes.state_histories import StateHistories
from probes.store import StoreProbe
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork
from tests.contract.temporary import temporary_lab

Inside = Callable[..., Any]


@pytest.fixture(scope="package")
def lab(driver: EmbeddedDriver) -> Iterator[Lab]:
    with temporary_lab(driver, topology("single"), "history") as made:
        yield made


@pytest.fixture(scope="package")
def inside(lab: Lab) -> Iterator[Inside]:
    """Call a function in the lab's network; the lab serves."""
    with ThreadPoolExecutor(max_workers=1, initializer=LabNetwork(LabNames(lab.name)).enter) as thread:

        def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return thread.submit(function, *args, **kwargs).result()

        wait_until(lambda: call(look_at, lab), lambda seen: seen.is_good, what="the lab serves", within=timedelta(seconds=30), in_a_row=2)
        yield call


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A state of the test's own."""
    return f"acceptance/contract/{re.sub(r'[^a-z0-9]+', '-', request.node.name)}/terraform.tfstate"


@pytest.fixture
def store(lab: Lab) -> StoreProbe:
    return StoreProbe(lab.store)


@pytest.fixture
def states(lab: Lab, store: StoreProbe) -> StateHistories:
    return StateHistories(lab, store)
