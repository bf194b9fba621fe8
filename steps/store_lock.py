"""Sentences about whether the store can lock at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pytest_bdd import parsers, then, when

from model.lab import Lab
from probes.answers import Answer
from probes.lock_race import REFUSED, WRITERS, Races, Racing, race
from probes.store import StoreProbe
from steps.storage import node_address

NEW, AGAIN = "for a key that never was", "for a key that was just deleted"
LAST_BYTE = ", each last byte held back"


@dataclass(frozen=True)
class InTurn:
    """Conditional writes one after another at one place."""

    where: str
    first: Answer[str]
    second: Answer[str]
    third: Answer[str]


@when("an object is written twice on condition that there is none, deleted, and written so once more", target_fixture="in_turn")
def write_in_turn(lab: Lab, key: str) -> list[InTurn]:
    looks, places = [], {machine.name: node_address(lab, machine) for machine in lab.storage}
    if lab.store.endpoint not in places.values():
        places[str(lab.store.endpoint)] = lab.store.endpoint
    for where, address in places.items():
        probe = StoreProbe(lab.store, address)
        name = f"{key}.{where.replace(':', '-')}"
        first, second = probe.conditional_put(name, b"first"), probe.conditional_put(name, b"second")
        probe.remove(name)
        looks.append(InTurn(where, first, second, probe.conditional_put(name, b"third")))
    return looks


@then("on every storage machine and at the endpoint the first write passes, the second is refused and the third passes")
def check_in_turn(in_turn: list[InTurn]) -> None:
    for seen in in_turn:
        assert seen.first.ok, f"expected the first conditional write on {seen.where} to pass; observed {seen.first.error}"
        assert seen.second.error is not None, (
            f"expected the second conditional write on {seen.where} to be refused; observed that it passed"
        )
        assert seen.second.error.status == REFUSED, f"expected HTTP {REFUSED} from {seen.where}; observed {seen.second.error}"
        assert seen.third.ok, f"expected a conditional write after the delete on {seen.where} to pass; observed {seen.third.error}"


@when(
    parsers.re(
        rf"16 writers spread over all storage machines race (?P<how>{NEW}|{AGAIN})(?P<held>{LAST_BYTE})? for (?P<seconds>\d+) seconds"
    ),
    target_fixture="races",
)
def run_races(  # noqa: PLR0913, PLR0917 - the sentence's parts, and what it needs
    lab: Lab, key: str, how: str, held: str | None, seconds: str, measure: Callable[..., object]
) -> Races:
    nodes = [node_address(lab, machine) for machine in lab.storage]
    racing = Racing(new_key=how == NEW, last_byte=held is not None, lasts=timedelta(seconds=int(seconds)))
    seen = race(lab.store, nodes, f"{key.rpartition('/')[0]}/", racing)
    kind = how.removeprefix("for a key that ") + (held or "")
    measure("rounds of races", len(seen.winners), "rounds", kind=kind)
    measure("writers apart", seen.spread * 1000, "ms", kind=kind)
    return seen


@then("in every round exactly one of them wins")
def check_races(races: Races) -> None:
    assert races.winners, "expected at least one round; observed none"
    wrong = {number: count for number, count in enumerate(races.winners, 1) if count != 1}
    nodes = ", ".join(map(str, races.nodes))
    expected = f"expected one of {WRITERS} writers at {nodes} to win each of {len(races.winners)} rounds"
    assert not wrong, f"{expected}; observed winners by round {wrong}, other answers {sorted(races.others)}"
    assert not races.others, f"expected only 200 and {REFUSED} of {nodes} in {len(races.winners)} rounds; observed {sorted(races.others)}"
