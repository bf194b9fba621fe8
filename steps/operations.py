"""Sentences about what keeps a lab fit: versions, services at boot, lifecycle rules."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from pytest_bdd import parsers, then, when

from faults.breaker import Breaker
from faults.power import Reboot
from model.errors import AbilityMissing, PromiseBroken
from model.lab import Lab, Machine
from model.measurements import at_most
from model.topology import Role
from model.waiting import wait_until
from probes.answers import Answer
from probes.condition import look_at
from probes.services import starts_at_boot
from probes.stopwatch import Stopwatch
from probes.store import StoreProbe
from steps.fleet import TOFU_VERSION

OLDEST_TOFU = (1, 10, 2)
UNSOUND_TOFU = ((1, 11, 0), (1, 11, 1), (1, 11, 2))
"""`use_lockfile` is sound since 1.10.2; these three leave the lock behind on an interrupt (opentofu#3661)."""

LOCK_FIX = "20251023"
"""Day of the commit since which MinIO refuses a conditional write when it cannot read (minio#21653)."""

MINIO_BUILD = (
    "pid=$(systemctl show --property=MainPID --value minio.service); "
    "grep -a -o -m 1 -E '(mod|dep)\tgithub\\.com/minio/minio\tv[0-9A-Za-z.+-]+' /proc/$pid/exe | head -n 1"
)
"""Go writes the versions of all modules into what it builds; the text is searched in the binary that runs."""

UNITS = {Role.STORAGE: ("minio.service",), Role.BALANCER: ("haproxy.service",), Role.RUNNER: ()}
EVERYWHERE = ("ssh.service",)
WHERE_ADDRESSES_MOVE = ("keepalived.service",)
SERVES_WITHIN = timedelta(seconds=240)
"""Twice what is promised after a reboot."""


@dataclass(frozen=True)
class Versions:
    """Versions by machine; empty text where it could not be read."""

    tofu: Mapping[str, str]
    minio: Mapping[str, str]


@when("the versions of OpenTofu on all runners and of MinIO on all storage machines are read", target_fixture="versions")
def read_versions(lab: Lab) -> Versions:
    return Versions(
        {machine.name: machine.run(TOFU_VERSION).stdout.strip() for machine in lab.runners},
        {machine.name: machine.run(MINIO_BUILD).stdout.strip().rpartition("\t")[2] for machine in lab.storage},
    )


@then("every runner has the same OpenTofu, with sound locking")
def check_tofu(versions: Versions) -> None:
    assert len(set(versions.tofu.values())) == 1, f"expected one version of OpenTofu; observed {dict(versions.tofu)}"
    for name, version in versions.tofu.items():
        numbers = tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0]))
        assert numbers >= OLDEST_TOFU, f"expected OpenTofu 1.10.2 or newer on {name}; observed {version or 'none'}"
        assert numbers not in UNSOUND_TOFU, f"expected an OpenTofu that releases its lock on {name}; observed {version}"


@then("every storage machine runs a MinIO that keeps the lock when it cannot read")
def check_minio(versions: Versions) -> None:
    if not any(versions.minio.values()):
        raise AbilityMissing("no storage machine runs a program that tells which MinIO it was built from")
    for name, version in versions.minio.items():
        day = re.search(r"-(\d{8})\d{6}-", version)
        assert day is not None, f"expected {name} to run a MinIO of a known day; observed {version or 'no build information'}"
        assert day.group(1) >= LOCK_FIX, f"expected a MinIO of {LOCK_FIX} or later on {name} (minio#21603); observed {version}"


@dataclass(frozen=True)
class ServiceLook:
    """What was seen of one service."""

    machine: Machine
    unit: str
    running: bool
    enabled: bool


@when("the services of every machine are looked at", target_fixture="service_looks")
def look_at_services(lab: Lab) -> list[ServiceLook]:
    looks = []
    for machine in lab.machines.values():
        moving = WHERE_ADDRESSES_MOVE if machine.role is Role.BALANCER and lab.topology.virtual_addresses else ()
        for unit in (*UNITS[machine.role], *EVERYWHERE, *moving):
            service = machine.host.service(unit)
            looks.append(ServiceLook(machine, unit, service.is_running, starts_at_boot(machine, unit)))
    return looks


@then("each of them is running and starts at boot")
def check_services(service_looks: list[ServiceLook]) -> None:
    for seen in service_looks:
        assert seen.running, f"expected {seen.unit} to be active on {seen.machine.name}; observed that it is not"
        assert seen.enabled, f"expected {seen.unit} to be enabled at boot on {seen.machine.name}; observed that it is not"


@when("all machines are rebooted at once", target_fixture="rebooted_at")
def reboot_all(lab: Lab, breaker: Breaker) -> float:
    faults = [Reboot(machine) for machine in lab.machines.values()]
    first, *others = faults
    breaker.inject(first)
    with ThreadPoolExecutor(max_workers=len(others)) as pool:
        list(pool.map(breaker.inject, others))
    return time.monotonic()


@when("every machine is rebooted, one after the other", target_fixture="reboots")
def reboot_each(lab: Lab, breaker: Breaker) -> dict[str, float]:
    """Seconds by machine until everything served again."""
    reboots = {}
    for machine in lab.machines.values():
        fault = breaker.inject(Reboot(machine))
        breaker.heal(fault)
        wait_until(
            lambda: look_at(lab),
            lambda seen: seen.is_good,
            what=f"everything serves again after the reboot of {machine.name}",
            within=SERVES_WITHIN,
            error=PromiseBroken,
        )
        reboots[machine.name] = time.monotonic() - fault.struck_at
    return reboots


@then(parsers.parse("after each reboot everything served again within {seconds:d} seconds"))
def check_each_back(reboots: dict[str, float], seconds: int, measure: Callable[..., object]) -> None:
    for name, took in reboots.items():
        measure("everything serves again after", took, "s", at_most(seconds), machine=name)
    for name, took in reboots.items():
        assert took <= seconds, f"expected everything to serve within {seconds} s after the reboot of {name}; observed {took:.1f} s"


@then(parsers.parse("everything serves again within {seconds:d} seconds"))
def check_all_back(lab: Lab, rebooted_at: float, seconds: int, stopwatch: Stopwatch) -> None:
    stopwatch.await_promise(
        lambda: look_at(lab),
        lambda seen: seen.is_good,
        what="everything serves again",
        within=seconds,
        since=rebooted_at,
        name="everything serves again after",
    )


@when("the lifecycle rules of the bucket are read", target_fixture="rules")
def read_rules(store: StoreProbe) -> Answer[tuple[str, ...]]:
    return store.expiring_rules()


@then("none of them removes versions of a state")
def check_rules(store: StoreProbe, rules: Answer[tuple[str, ...]]) -> None:
    where = f"{store.bucket} at {store.endpoint}"
    assert rules.ok, f"expected to be told the lifecycle rules of {where}; observed {rules.error}"
    assert not rules.value, f"expected no rule that removes versions of a state from {where}; observed: {'; '.join(rules.value or ())}"
