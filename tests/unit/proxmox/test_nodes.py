"""The check B10 is turned red by labs that are spread badly, and by nobody else: no embedded lab has nodes to plant that in."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from model.lab import Lab
from model.outside import Outside
from model.topology import MachineSpec, Role, topology
from steps.nodes import ask_places, check_others, check_storage

NOTED: list[tuple[Any, ...]] = []


def note(*words: Any) -> None:
    NOTED.append(words)


@dataclass(frozen=True)
class Placed:
    spec: MachineSpec
    place: str

    @property
    def name(self) -> str:
        return self.spec.name

    def inspect(self) -> Outside:
        return Outside(f"tofu-{self.name}", self.spec.address, 2, 2048, self.place)


def lab_on(*nodes: str) -> Lab:
    """A lab whose machines of each role are on these nodes in turns, as the environments place them."""
    plan = topology("production")
    machines = {spec.name: Placed(spec, nodes[at % len(nodes)]) for role in Role for at, spec in enumerate(plan.of(role))}
    of = lambda role: [machine for machine in machines.values() if machine.spec.role is role]  # noqa: E731 - one line says it
    return cast("Lab", SimpleNamespace(machines=machines, of=of))


def test_four_nodes_will_do() -> None:
    lab = lab_on("pve1", "pve2", "pve3", "pve4")
    places = ask_places(lab)
    check_storage(lab, places, note)
    check_others(lab, places, note)


def test_three_nodes_would_lose_two_storage_machines() -> None:
    lab = lab_on("pve1", "pve2", "pve3")
    with pytest.raises(AssertionError, match=r"at most 1 of storage01, .*; observed storage01, storage04 on pve1"):
        check_storage(lab, ask_places(lab), note)
    check_others(lab, ask_places(lab), note)


def test_one_node_would_lose_everything() -> None:
    lab = lab_on("pve")
    with pytest.raises(AssertionError, match=r"observed balancer01, balancer02 on pve"):
        check_others(lab, ask_places(lab), note)
