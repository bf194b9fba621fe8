"""Sentences about the runners: what each has, who answers, who does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier

from pytest_bdd import parsers, then, when

from model.errors import PromiseBroken
from model.lab import Ability, Lab, Machine
from model.measurements import at_least
from model.outside import Outside
from probes import ssh
from probes.outcomes import SshOutcome
from probes.power import expect_power
from probes.statistics import Statistics, read_statistics

CORES, MEMORY_MB = 2, 2048
"""`cpu_cores` and `memory_mb` of the guide's step 4."""

BURST_WITHIN = timedelta(seconds=60)  # for each of many logins at once; bounds our patience, no promise
TOLERANCE = 0.1
"""Part of its memory that a machine's firmware and kernel may keep for themselves."""

TOFU_VERSION = 'tofu version -json | grep -o \'"terraform_version": *"[^"]*"\' | cut -d\'"\' -f4'
CPU_QUOTA = "cat /sys/fs/cgroup/cpu.max 2>/dev/null || paste -d' ' /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"
MEMORY_LIMIT = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
CORES_ONLINE = "getconf _NPROCESSORS_ONLN"
MEMORY_TOTAL_KIB = "awk '/^MemTotal:/ {print $2}' /proc/meminfo"


@dataclass(frozen=True)
class RunnerLook:
    """What a runner is from inside.

    Attributes:
        machine: Which one.
        cores: Cores that it may use, by its limit or by what is there.
        memory_mb: Memory that it may use.
        tofu: Version of OpenTofu; empty when there is none.
        git: Version of git; empty when there is none.
        addresses: All that it has.
        outside: What its hypervisor gave it; None where nobody can be asked.
    """

    machine: Machine
    cores: float
    memory_mb: float
    tofu: str
    git: str
    addresses: tuple[str, ...] = ()
    outside: Outside | None = None


def _number(text: str) -> float | None:
    word = text.split(maxsplit=1)[0] if text.split() else ""
    return float(word) if word.replace(".", "", 1).isdigit() else None


def _look(machine: Machine) -> RunnerLook:
    quota = machine.run(CPU_QUOTA).stdout.split()
    online = _number(machine.run(CORES_ONLINE).stdout) or 0.0
    limited = float(quota[0]) / float(quota[1]) if len(quota) == 2 and _number(quota[0]) else online  # noqa: PLR2004
    total = (_number(machine.run(MEMORY_TOTAL_KIB).stdout) or 0.0) * 2**10
    limit = _number(machine.run(MEMORY_LIMIT).stdout) or total
    tofu = machine.run(TOFU_VERSION).stdout.strip()
    git = machine.run("git --version").stdout.removeprefix("git version ").strip()
    addresses = tuple(re.findall(r"\d+(?:\.\d+){3}", machine.run("ip -brief -4 address").stdout))
    outside = machine.inspect() if machine.can(Ability.INSPECT) else None
    return RunnerLook(machine, min(limited, online), min(limit, total) / 2**20, tofu, git, addresses, outside)


@when("every runner is looked at from inside", target_fixture="runner_looks")
def look_at_runners(lab: Lab) -> list[RunnerLook]:
    expect_power(lab.runners)
    return [_look(machine) for machine in lab.runners]


@then(parsers.parse("there are at least {count:d} runners"))
def check_count(runner_looks: list[RunnerLook], count: int) -> None:
    names = ", ".join(seen.machine.name for seen in runner_looks)
    assert len(runner_looks) >= count, f"expected at least {count} runners; observed {len(runner_looks)}: {names}"


@then("each has 2 cores and 2048 MB of memory")
def check_size(runner_looks: list[RunnerLook]) -> None:
    for seen in runner_looks:
        assert seen.cores == CORES, f"expected {CORES} cores on {seen.machine.name}; observed {seen.cores:g}"
        fits = abs(seen.memory_mb - MEMORY_MB) <= TOLERANCE * MEMORY_MB
        assert fits, f"expected {MEMORY_MB} MB on {seen.machine.name}; observed {seen.memory_mb:.0f} MB"
        if seen.outside is not None:
            _check_outside(seen, seen.outside)


def _check_outside(seen: RunnerLook, outside: Outside) -> None:
    """What the hypervisor gave a runner is what the module was told, and what the runner has."""
    name = seen.machine.name
    assert outside.name.endswith(name), f"expected that the hypervisor calls {name} so; observed {outside.name}"
    assert outside.address == seen.machine.address, f"expected that {name} was given {seen.machine.address}; observed {outside.address}"
    assert outside.address in seen.addresses, f"expected {outside.address} on {name}; observed {', '.join(seen.addresses)}"
    given = (outside.cpu_cores, outside.memory_mb)
    assert given == (CORES, MEMORY_MB), f"expected that {name} was given {CORES} cores and {MEMORY_MB} MB; observed {given}"


@then("all have the same version of OpenTofu")
def check_tofu(runner_looks: list[RunnerLook]) -> None:
    _check_same("OpenTofu", {seen.machine.name: seen.tofu for seen in runner_looks})


@then("all have the same version of git")
def check_git(runner_looks: list[RunnerLook]) -> None:
    _check_same("git", {seen.machine.name: seen.git for seen in runner_looks})


def _check_same(program: str, versions: dict[str, str]) -> None:
    for name, version in versions.items():
        assert version, f"expected {program} on {name}; observed none"
    assert len(set(versions.values())) == 1, f"expected one version of {program} on all runners; observed {versions}"


@dataclass(frozen=True)
class Connections:
    """Connections to the fleet, and what the balancers counted meanwhile.

    Attributes:
        outcomes: Of each connection: the runner's hostname on standard output.
        before: Statistics by balancer.
        after: The same, when all were done.
    """

    outcomes: list[SshOutcome]
    before: dict[str, Statistics]
    after: dict[str, Statistics]

    def names(self) -> Counter[str]:
        """How often each hostname answered."""
        return Counter(outcome.stdout.strip() for outcome in self.outcomes if outcome.ok)


def statistics_of(lab: Lab) -> dict[str, Statistics]:
    """Statistics of every balancer, by name."""
    return {machine.name: read_statistics(machine.at(lab.topology.statistics_port)) for machine in lab.balancers}


@when(parsers.parse("a client connects to the fleet {times:d} times for each runner"), target_fixture="connections")
def connect_often(lab: Lab, times: int) -> Connections:
    before = statistics_of(lab)
    login = ssh.fleet_login(lab)
    outcomes = [ssh.run(login, "hostname") for _ in range(times * len(lab.runners))]
    return Connections(outcomes, before, statistics_of(lab))


@when(parsers.parse("{count:d} clients connect to the fleet at the same moment"), target_fixture="connections")
def connect_at_once(lab: Lab, count: int) -> Connections:
    before, login, start = statistics_of(lab), ssh.fleet_login(lab), Barrier(count, timeout=BURST_WITHIN.total_seconds())

    def connect(_number: int) -> SshOutcome:
        start.wait()
        return ssh.run(login, "hostname", deadline=BURST_WITHIN, connect_within=BURST_WITHIN)

    with ThreadPoolExecutor(max_workers=count) as pool:
        outcomes = list(pool.map(connect, range(count)))
    return Connections(outcomes, before, statistics_of(lab))


@then("every connection is answered")
def check_all_answered(lab: Lab, connections: Connections) -> None:
    for number, outcome in enumerate(connections.outcomes, 1):
        wanted = f"connection {number} of {len(connections.outcomes)} to {lab.fleet.endpoint}"
        assert outcome.ok, f"expected {wanted} to be answered; observed {outcome}"


@then("every runner answered at least once")
def check_all_used(lab: Lab, connections: Connections, measure: Callable[..., object]) -> None:
    names = connections.names()
    for runner in lab.runners:
        count = names[runner.name]
        measure("connections answered", count, "connections", at_least(1), runner=runner.name)
        assert count, f"expected {runner.name} to answer some of {len(connections.outcomes)} connections; observed {dict(names)}"


@then("each proved with its host key who it is")
def check_identities(lab: Lab, connections: Connections) -> None:
    for outcome in connections.outcomes:
        said, proved = outcome.stdout.strip(), ssh.who_answered(lab, outcome)
        assert said == proved, (
            f"expected who answers as {said} to have the host key of {said}; observed the key of {proved or 'a stranger'}"
        )


@then("the balancers counted the same connections")
def check_counts(lab: Lab, connections: Connections) -> None:
    names = connections.names()
    for balancer in lab.balancers:
        for moment in (connections.before, connections.after):
            if not moment[balancer.name].available:
                raise PromiseBroken(f"expected the statistics of {balancer.name}; observed {moment[balancer.name]}")
    for runner in lab.runners:
        counted = sum(_chosen(connections.after[name], runner) - _chosen(connections.before[name], runner) for name in connections.after)
        assert counted == names[runner.name], (
            f"expected the balancers to have sent {names[runner.name]} connections to {runner.name}, as it answered; observed {counted}"
        )


def _chosen(statistics: Statistics, runner: Machine) -> int:
    return sum(server.sessions_total for server in statistics.named(runner.name))
