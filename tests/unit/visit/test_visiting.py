"""Once the lab is somebody else's, nothing more is begun, and the run is stopped with the reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures import visiting
from fixtures.visit import VISIT
from model.errors import UnsafeLab
from model.run import RUN, SCENARIO


class FakeVisit:
    """Tells what it was told to tell, and remembers how it was asked."""

    def __init__(self, lost: str) -> None:
        """Lost, or not."""
        self.lost, self.asked = lost, list[bool]()

    def why_lost(self, *, disturbed: bool) -> str:
        self.asked.append(disturbed)
        return self.lost


def item(visit: FakeVisit | None, *, disruptive: bool = False, scenario: bool = True) -> Any:
    stash: dict[Any, Any] = {RUN: SimpleNamespace(stopped="")}
    if visit is not None:
        stash[VISIT] = visit
    own = {SCENARIO: SimpleNamespace(disruptive=disruptive)} if scenario else {}
    return SimpleNamespace(config=SimpleNamespace(stash=stash), stash=own, session=SimpleNamespace(shouldstop=False))


def begins(where: Any) -> None:
    visiting.pytest_runtest_setup(where)
    visiting.pytest_bdd_before_step(SimpleNamespace(node=where))  # type: ignore[arg-type]


@pytest.mark.parametrize("where", [item(None), item(FakeVisit("")), item(FakeVisit("taken"), scenario=False)])
def test_nothing_stands_in_the_way(where: Any) -> None:
    begins(where)
    assert not where.session.shouldstop


def test_a_lab_that_is_lost_stops_the_run() -> None:
    where = item(FakeVisit("it is held by run x"))
    with pytest.raises(UnsafeLab, match="the lease of the lab is lost: it is held by run x"):
        visiting.pytest_runtest_setup(where)
    assert where.session.shouldstop == where.config.stash[RUN].stopped == "the lease of the lab is lost: it is held by run x"


@pytest.mark.parametrize("disruptive", [True, False])
def test_only_inside_of_a_disruptive_scenario_a_fault_of_ours_may_be_the_reason(disruptive: bool) -> None:
    visit = FakeVisit("")
    begins(item(visit, disruptive=disruptive))
    assert visit.asked == [False, disruptive]


def test_with_workers_the_process_that_controls_them_ends_them() -> None:
    where, workers = item(FakeVisit("gone")), SimpleNamespace(shouldstop=False)
    where.config.pluginmanager = SimpleNamespace(get_plugin=lambda _name: workers)
    visiting.pytest_runtest_logreport(SimpleNamespace(node=SimpleNamespace(config=where.config)))  # type: ignore[arg-type]
    assert workers.shouldstop == where.config.stash[RUN].stopped == "the lease of the lab is lost: gone"
    visiting.pytest_runtest_logreport(SimpleNamespace())  # type: ignore[arg-type]
