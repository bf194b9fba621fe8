"""Sentences about how the balancers are set up."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_bdd import then, when

from model.lab import CommandResult, Lab, Machine
from probes.http import HttpLook
from probes.power import expect_power
from probes.statistics import Statistics, read_page, read_statistics

HAPROXY = "haproxy.service"


@dataclass(frozen=True)
class BalancerLook:
    """What was seen of one balancer.

    Attributes:
        machine: Which one.
        valid: What HAProxy says about its own configuration.
        running: Whether systemd calls it active.
        enabled: Whether it starts at boot.
        page: The statistics page.
        statistics: The same for programs.
    """

    machine: Machine
    valid: CommandResult
    running: bool
    enabled: bool
    page: HttpLook
    statistics: Statistics


@when("every balancer is looked at", target_fixture="balancer_looks")
def look_at_balancers(lab: Lab) -> list[BalancerLook]:
    expect_power(lab.balancers)
    port = lab.topology.statistics_port
    return [
        BalancerLook(
            machine,
            machine.run("haproxy -c -q -f /etc/haproxy/haproxy.cfg"),
            running=machine.host.service(HAPROXY).is_running,
            enabled=machine.host.service(HAPROXY).is_enabled,
            page=read_page(machine.at(port)),
            statistics=read_statistics(machine.at(port)),
        )
        for machine in lab.balancers
    ]


@then("each accepts its own configuration")
def check_valid(balancer_looks: list[BalancerLook]) -> None:
    for seen in balancer_looks:
        assert seen.valid.ok, f"expected a valid configuration on {seen.machine.name}; observed:\n{seen.valid.text}"


@then("HAProxy is running on each and starts at boot")
def check_running(balancer_looks: list[BalancerLook]) -> None:
    for seen in balancer_looks:
        assert seen.running, f"expected {HAPROXY} to be active on {seen.machine.name}; observed that it is not"
        assert seen.enabled, f"expected {HAPROXY} to be enabled at boot on {seen.machine.name}; observed that it is not"


@then("each checks the health of every runner")
def check_pool(lab: Lab, balancer_looks: list[BalancerLook]) -> None:
    for seen in balancer_looks:
        assert seen.statistics.available, f"expected the statistics of {seen.machine.name}; observed {seen.statistics}"
        for runner in lab.runners:
            servers = seen.statistics.named(runner.name)
            assert servers, f"expected {runner.name} in a pool of {seen.machine.name}; observed {seen.statistics}"
            for server in servers:
                assert server.status != "no check", f"expected {seen.machine.name} to check {runner.name}; observed that it does not"


@then("each shows its statistics page on port 8404")
def check_page(balancer_looks: list[BalancerLook]) -> None:
    for seen in balancer_looks:
        assert seen.page.is_html, f"expected the statistics page of {seen.machine.name}; observed {seen.page}"
