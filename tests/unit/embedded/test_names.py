"""Every name says whose it is: no lab can be taken for another one, or for a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import BadInput
from model.topology import TOPOLOGIES, topology
from provisioning.embedded.names import LONGEST_NAME, MACHINE_SUFFIX, LabNames
from provisioning.embedded.network import cable, mac

EVERY_MACHINE = [machine for name in TOPOLOGIES for machine in topology(name, 100).machines]


@pytest.mark.parametrize("name", ["a", "7", "run-20260101-gw0", "a-b", "my-runner", "runner01-a", "x" * LONGEST_NAME])
def test_good_names(name: str) -> None:
    assert LabNames(name).network == f"tha-{name}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        "a-",
        "A",
        "a_b",
        "a b",
        "a.b",
        "../a",
        "a/b",
        "ä",
        "a\n",
        "x" * (LONGEST_NAME + 1),
        "a-runner01",
        "a-storage1",
        "a-balancer02",
    ],
)
def test_bad_names(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be a lab's name"):
        LabNames(name)


def test_the_longest_name_of_a_machine_is_a_host_name() -> None:
    names = LabNames("x" * LONGEST_NAME)
    assert max(len(names.machine(machine.name)) for machine in EVERY_MACHINE) <= 64


def test_every_machine_is_told_from_a_lab() -> None:
    assert all(MACHINE_SUFFIX.search(f"-{machine.name}") for machine in EVERY_MACHINE)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("tha-a", "a"),
        ("tha-a-runner01", "a"),
        ("tha-a-runner100", "a"),
        ("tha-a-b", "a-b"),
        ("tha-a-b-runner01", "a-b"),
        ("tha-a-runner", "a-runner"),
        ("tha-a-runner-storage01", "a-runner"),
    ],
)
def test_a_lab_owns_what_carries_its_name_and_nothing_else(name: str, owner: str) -> None:
    assert [lab for lab in ("a", "a-b", "a-runner", "b") if LabNames(lab).owns(name)] == [
        lab for lab in ("a", "a-b", "a-runner") if lab == owner
    ]


def test_folders_and_groups_of_a_machine_are_below_its_labs(labs: Path) -> None:
    names = LabNames("a")
    assert names.folder == labs / "a"
    assert names.machine_folder("runner01").is_relative_to(names.folder)
    assert (names.cgroup(), names.cgroup("runner01")) == ("tofu-ha-acceptance/a", "tofu-ha-acceptance/a/runner01")


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_cables_and_hardware_addresses_are_unique(name: str) -> None:
    machines = topology(name, 100).machines
    cables = {cable(machine.name) for machine in machines}
    assert len(cables) == len(machines)
    assert all(len(entry) <= 15 for entry in cables), "the kernel's limit"
    addresses = {mac(machine.address) for machine in machines}
    assert len(addresses) == len(machines)
    assert all(int(address[:2], 16) & 3 == 2 for address in addresses), "unicast, administered locally"


def test_a_hardware_address_follows_from_the_address() -> None:
    assert mac("10.1.0.103") == "02:00:0a:01:00:67"
