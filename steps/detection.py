"""Sentences about times that follow from the balancers' own settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from pytest_bdd import given, parsers, then, when

from faults.fault import Fault
from model.errors import PromiseBroken
from model.lab import Lab
from model.measurements import at_least
from probes import ssh
from probes.haproxy_config import Proxy, read_running_configuration
from probes.outcomes import SshOutcome
from probes.stopwatch import Stopwatch
from steps.fleet import Connections, statistics_of
from steps.rotation import check_removal_within

OUR_LOOK_SECONDS = 1
"""What our own looks at the statistics may add: ten a second, each bounded by a slow machine."""

SPARE_SECONDS = 30


@dataclass(frozen=True)
class Settings:
    """The pool of the runners, as each balancer's running configuration has it, by balancer."""

    pools: Mapping[str, Proxy]

    def bound(self, seconds: Callable[[Proxy], timedelta]) -> int:
        """The longest time over all balancers, in whole seconds, with what our own looks may add."""
        return ceil(max(seconds(pool).total_seconds() for pool in self.pools.values())) + OUR_LOOK_SECONDS


@given("the times that the balancers need by their own settings", target_fixture="settings")
@when("the settings of the running balancers are read", target_fixture="settings")
def read_settings(lab: Lab) -> Settings:
    pools = {}
    for balancer in lab.balancers:
        proxies = read_running_configuration(balancer)
        having = [proxy for proxy in proxies.values() if lab.runners[0].name in proxy.servers]
        if not having:
            raise PromiseBroken(
                f"expected {balancer.name} to have a pool with {lab.runners[0].name}; observed the proxies {', '.join(proxies)}"
            )
        pools[balancer.name] = having[0]
    return Settings(pools)


@then("it is out of rotation within the time for a silent runner")
def check_silent(lab: Lab, fault: Fault, settings: Settings, stopwatch: Stopwatch) -> None:
    _check_detection(lab, fault, stopwatch, settings.bound(lambda pool: pool.detection(fault.machine.name, silent=True)))


@then("it is out of rotation within the time for a refusing runner")
def check_refusing(lab: Lab, fault: Fault, settings: Settings, stopwatch: Stopwatch) -> None:
    _check_detection(lab, fault, stopwatch, settings.bound(lambda pool: pool.detection(fault.machine.name, silent=False)))


def _check_detection(lab: Lab, fault: Fault, stopwatch: Stopwatch, seconds: int) -> None:
    check_removal_within(lab, fault, seconds, stopwatch, "noticed after")


@then("once it is repaired, it is in rotation within the time for a returning runner")
def check_recovery(lab: Lab, fault: Fault, settings: Settings, stopwatch: Stopwatch) -> None:
    fault.undo()
    fault.prove_recovery()
    stopwatch.await_promise(
        lambda: [name for name, seen in statistics_of(lab).items() if not seen.in_rotation(fault.machine.name)],
        lambda balancers: not balancers,
        what=f"every balancer has {fault.machine.name} in rotation",
        within=settings.bound(lambda pool: pool.recovery(fault.machine.name)),
        since=time.monotonic(),
        name="taken back after",
        fault=fault.title,
    )


@then(parsers.parse("a session to a runner may be silent for at least {hours:d} hour"))
def check_idle_limit(settings: Settings, hours: int, measure: Callable[..., object]) -> None:
    for name, pool in settings.pools.items():
        allowed = pool.idle_limit
        measure("a session may be silent for", allowed.total_seconds() / 3600, "h", at_least(hours), balancer=name)
        assert allowed >= timedelta(hours=hours), (
            f"expected {name} to let a session be silent for {hours} h; observed {allowed.total_seconds():g} s"
        )


@when(parsers.parse("a session to a runner is silent for {seconds:d} seconds"), target_fixture="silent_session")
def keep_silent(lab: Lab, seconds: int) -> SshOutcome:
    return ssh.run(ssh.fleet_login(lab), f"sleep {seconds}; echo still here", deadline=timedelta(seconds=seconds + SPARE_SECONDS))


@then("it still works")
def check_still_works(silent_session: SshOutcome) -> None:
    assert silent_session.ok, f"expected the session to live on; observed {silent_session}"
    assert silent_session.stdout.strip() == "still here", f"expected its last words; observed {silent_session.stdout!r}"


@then("no runner got less than half its share")
def check_fairness(lab: Lab, connections: Connections, measure: Callable[..., object]) -> None:
    names = connections.names()
    share = len(connections.outcomes) / len(lab.runners)
    for runner in lab.runners:
        measure("connections answered", names[runner.name], "connections", at_least(share / 2), runner=runner.name)
        assert names[runner.name] >= share / 2, (
            f"expected {runner.name} to answer {share / 2:g} connections or more; observed {dict(names)}"
        )
