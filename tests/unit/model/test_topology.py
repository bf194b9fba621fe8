"""Plans of labs: the guide's addresses, and no two machines alike."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from model.errors import BadInput
from model.topology import GATEWAY, NETWORK_PREFIX, TOPOLOGIES, Address, Limits, Role, Topology, topology


@pytest.mark.parametrize("runners", range(2, 101))
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_every_plan_fits_its_network(name: str, runners: int) -> None:
    plan = topology(name, runners)
    shared = sum(len(machine.also) for machine in plan.machines)
    addresses = [machine.address for machine in plan.machines] + list(plan.virtual_addresses) + [GATEWAY]
    assert len(set(addresses)) == len(addresses)
    assert all(ip_address(address) in ip_network("10.1.0.0/24") for address in addresses)
    assert len({machine.name for machine in plan.machines}) == len(plan.machines)
    assert len(plan.of(Role.RUNNER)) == runners
    roles = [machine.role for machine in plan.machines]
    assert roles == sorted(roles, key=list(Role).index), "storage first, runners last"
    assert sum(len(plan.of(role)) for role in Role) == len(plan.machines) + shared


def told(plan: Topology, role: Role) -> dict[str, str]:
    return {machine.name: machine.address for machine in plan.of(role)}


def test_the_guides_addresses_in_production() -> None:
    plan = topology()
    assert plan == topology("production", 3)
    assert told(plan, Role.STORAGE) == {f"storage0{number}": f"10.1.0.1{number}" for number in range(1, 5)}
    assert told(plan, Role.BALANCER) == {"balancer01": "10.1.0.21", "balancer02": "10.1.0.22"}
    assert told(plan, Role.RUNNER) == {"runner01": "10.1.0.103", "runner02": "10.1.0.104", "runner03": "10.1.0.105"}
    assert plan.virtual_addresses == (plan.storage_endpoint.host, plan.runner_endpoint.host)


def test_the_guides_addresses_in_single() -> None:
    plan = topology("single")
    assert told(plan, Role.STORAGE) == {"storage01": plan.storage_endpoint.host}
    assert told(plan, Role.BALANCER) == {"balancer01": plan.runner_endpoint.host}
    assert plan.virtual_addresses == ()


def test_the_guide_to_the_letter_has_one_port_for_two_services() -> None:
    plan, rebooted = topology("as-written"), topology("as-written-haproxy-first")
    assert plan.runner_endpoint == plan.storage_endpoint
    assert plan.of(Role.STORAGE) == plan.of(Role.BALANCER) == plan.machines[:1]
    assert (plan.first, rebooted.first) == (Role.STORAGE, Role.BALANCER)
    assert replace(rebooted, name=plan.name, first=plan.first) == plan


def test_the_clash_is_resolved_by_a_host_each() -> None:
    plan = topology("as-written-resolved")
    assert plan.guide
    assert replace(plan, name="single", guide=False) == topology("single")


def test_the_network_is_the_guides() -> None:
    assert ip_interface(f"{GATEWAY}/{NETWORK_PREFIX}").network == ip_network("10.1.0.0/24")


def test_a_place_is_the_same_however_one_gets_there() -> None:
    place, carried = Address("10.1.0.103", 22), Address("10.1.0.103", 22, through=("ssh", "jump"))
    assert place == carried
    assert "jump" not in repr(carried)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_guides_ports_and_resources(name: str) -> None:
    plan = topology(name)
    assert str(plan.runner_endpoint) == "10.1.0.102:9000"
    assert str(plan.storage_endpoint) == ("10.1.0.102:9000" if plan.first else "10.1.0.101:9000")
    assert (plan.console_port, plan.statistics_port) == (9001, 8404)
    assert {runner.limits for runner in plan.of(Role.RUNNER)} == {Limits(cpu_cores=2, memory_mib=2048)}


@pytest.mark.parametrize("runners", [-1, 0, 1, 101])
def test_a_fleet_that_cannot_be_is_refused(runners: int) -> None:
    with pytest.raises(BadInput, match=f"2 to 100 runners, not {runners}"):
        topology("single", runners)


def test_an_unknown_topology_is_told_the_valid_ones() -> None:
    with pytest.raises(BadInput, match="'singel'; valid ones: single, production"):
        topology("singel")
