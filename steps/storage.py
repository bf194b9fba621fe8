"""Sentences about the storage machines and the service that runs on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from pytest_bdd import parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.power import Reboot
from faults.service import ProcessKilled, ServiceRestarted
from faults.targets import any_storage_node
from model.lab import Lab, Machine
from model.topology import Address
from probes import health
from probes.answers import Answer
from probes.drives import MINIO
from probes.http import HttpLook
from probes.power import expect_power
from probes.stopwatch import Stopwatch
from probes.store import StoreProbe
from steps.state import SharedState


@dataclass(frozen=True)
class StorageLook:
    """What was seen of one storage machine.

    Attributes:
        machine: Which one.
        running: Whether systemd calls the service active.
        enabled: Whether it starts at boot.
        restart: What systemd does when it ends (`always`).
        signed: Answer to a signed request for the bucket, asked of this machine alone.
        console: Its console's first page.
        writes: Whether it says that the store can write.
        reads: Whether it says that the store can read.
    """

    machine: Machine
    running: bool
    enabled: bool
    restart: str
    signed: Answer[bool]
    console: HttpLook
    writes: HttpLook
    reads: HttpLook


def node_address(lab: Lab, machine: Machine) -> Address:
    """Where one storage machine serves S3."""
    return machine.at(lab.topology.storage_port).require_direct()


def _look(lab: Lab, machine: Machine) -> StorageLook:
    service = machine.host.service(MINIO)
    address = node_address(lab, machine)
    return StorageLook(
        machine,
        running=service.is_running,
        enabled=service.is_enabled,
        restart=machine.run(f"systemctl show --property=Restart --value {MINIO}").stdout.strip(),
        signed=StoreProbe(lab.store, address).bucket_exists(),
        console=health.console(machine.at(lab.topology.console_port), of=lab.store),
        writes=health.cluster(address, of=lab.store),
        reads=health.cluster_read(address, of=lab.store),
    )


@when("every storage machine is looked at", target_fixture="storage_looks")
@when("the MinIO service of every storage machine is looked at", target_fixture="storage_looks")
def look_at_storage(lab: Lab) -> list[StorageLook]:
    expect_power(lab.storage)
    return [_look(lab, machine) for machine in lab.storage]


@then("on each of them MinIO is running")
def check_running(storage_looks: list[StorageLook]) -> None:
    for seen in storage_looks:
        assert seen.running, f"expected {MINIO} to be active on {seen.machine.name}; observed that it is not"


@then("on each of them MinIO starts at boot")
@then("each starts at boot")
def check_enabled(storage_looks: list[StorageLook]) -> None:
    for seen in storage_looks:
        assert seen.enabled, f"expected {MINIO} to be enabled at boot on {seen.machine.name}; observed that it is not"


@then("each is told to restart always")
def check_restart(storage_looks: list[StorageLook]) -> None:
    for seen in storage_looks:
        assert seen.restart == "always", (
            f"expected Restart=always for {MINIO} on {seen.machine.name}; observed {seen.restart or 'no such unit'}"
        )


@then("each of them answers a signed request")
def check_signed(lab: Lab, storage_looks: list[StorageLook]) -> None:
    for seen in storage_looks:
        where = node_address(lab, seen.machine)
        assert seen.signed.ok, f"expected {seen.machine.name} ({where}) to answer a signed request; observed {seen.signed.error}"


@then("each of them shows the console on port 9001")
def check_console(storage_looks: list[StorageLook]) -> None:
    for seen in storage_looks:
        assert seen.console.is_html, f"expected the console's page on {seen.machine.name}; observed {seen.console}"


@then("each of them says that the store can read and write")
def check_quorum(storage_looks: list[StorageLook]) -> None:
    for seen in storage_looks:
        assert seen.writes.ok, f"expected {seen.machine.name} to say that the store can write; observed {seen.writes}"
        assert seen.reads.ok, f"expected {seen.machine.name} to say that the store can read; observed {seen.reads}"


@when("the state store is asked for its buckets with the administrator's key", target_fixture="listed")
def ask_for_buckets(store: StoreProbe) -> Answer[bool]:
    return store.bucket_exists()


@then("it answers")
def check_answer(lab: Lab, listed: Answer[bool]) -> None:
    assert listed.ok, f"expected {lab.store.endpoint} to answer a signed request; observed {listed.error}"


@then("it says that it can read and write")
def check_endpoint_quorum(lab: Lab) -> None:
    for seen in (health.cluster(lab.store.endpoint, of=lab.store), health.cluster_read(lab.store.endpoint, of=lab.store)):
        assert seen.ok, f"expected the endpoint to say that the store can read and write; observed {seen}"


@dataclass(frozen=True)
class Setback:
    """A fault of a storage machine that should pass by itself."""

    fault: Fault
    machine: Machine


@when("MinIO is restarted on a storage machine", target_fixture="setback")
def restart_minio(lab: Lab, breaker: Breaker, dice: Random) -> Setback:
    return _strike(lab, breaker, dice, lambda machine: ServiceRestarted(machine, MINIO))


@when("the MinIO process of a storage machine is killed", target_fixture="setback")
def kill_minio(lab: Lab, breaker: Breaker, dice: Random) -> Setback:
    return _strike(lab, breaker, dice, lambda machine: ProcessKilled(machine, MINIO))


@when("a storage machine is rebooted", target_fixture="setback")
def reboot_storage(lab: Lab, breaker: Breaker, dice: Random) -> Setback:
    return _strike(lab, breaker, dice, Reboot)


def _strike(lab: Lab, breaker: Breaker, dice: Random, fault: Callable[[Machine], Fault]) -> Setback:
    machine = any_storage_node(lab, dice)
    expect_power([machine])
    return Setback(breaker.inject(fault(machine)), machine)


@then(parsers.parse("that machine serves again within {seconds:d} seconds"))
@then(parsers.parse("another process serves there within {seconds:d} seconds"))
def check_serves_again(lab: Lab, setback: Setback, seconds: int, stopwatch: Stopwatch) -> None:
    machine = setback.machine
    probe = StoreProbe(lab.store, node_address(lab, machine), within=timedelta(seconds=2))
    stopwatch.await_promise(
        probe.bucket_exists,
        lambda seen: seen.ok,
        what=f"{machine.name} answers a signed request again",
        within=seconds,
        since=setback.fault.struck_at,
        name="serves again after",
        machine=machine.name,
    )


@then("the state can be read there, unchanged")
def check_state_there(lab: Lab, setback: Setback, shared: SharedState) -> None:
    seen = StoreProbe(lab.store, node_address(lab, setback.machine)).state(shared.key)
    assert seen.value is not None, f"expected the state on {setback.machine.name}; observed {seen.error}"
    assert seen.value.serial == shared.serials[-1], f"expected serial {shared.serials[-1]}; observed {seen.value.serial}"
