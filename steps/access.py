"""Sentences about who gets in: default credentials, no credentials, orders to the statistics page, a stranger's machine."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_bdd import given, parsers, then, when

from faults.breaker import Breaker
from faults.fault import Fault
from faults.identity import StrangersKey
from model.lab import Lab, Machine
from probes.answers import StoreError
from probes.http import HttpLook, look
from probes.openssh import pipeline_client
from probes.outcomes import Reached, SshOutcome
from probes.statistics import PAGE, read_statistics
from probes.store import StoreProbe
from steps.state import SharedState, snapshot
from steps.storage import node_address

KNOWN_TO_EVERYBODY = (("minioadmin", "minioadmin123"), ("minioadmin", "minioadmin"))
"""The guide's step 1, and MinIO's own defaults."""

UNAUTHORISED = (401, 403)
FOLLOWED = ("st=DONE", "st=PART", "st=NONE")
"""HAProxy's answer to an order that it took, wholly, in part, or as one that changed nothing (`src/stats.c`)."""


@dataclass(frozen=True)
class Attempt:
    """Something that must be refused."""

    what: str
    error: StoreError | None


def _refused(attempt: Attempt) -> None:
    assert attempt.error is not None, f"expected {attempt.what} to be refused; observed that it was allowed"
    assert attempt.error.status in UNAUTHORISED or attempt.error.code in {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}, (
        f"expected {attempt.what} to be refused for want of rights; observed {attempt.error}"
    )


@when(
    "the state store is asked for a list with the credentials that the guide prints, and with MinIO's own defaults",
    target_fixture="attempts",
)
def try_defaults(lab: Lab) -> list[Attempt]:
    places = {"the endpoint": lab.store.endpoint} | {machine.name: node_address(lab, machine) for machine in lab.storage}
    attempts = []
    for user, password in KNOWN_TO_EVERYBODY:
        store = replace(lab.store, access_key=user, secret_key=password)
        attempts += [
            Attempt(f"{user} with its well-known password at {name} ({address})", StoreProbe(store, address).versions(lab.store.own).error)
            for name, address in places.items()
        ]
    return attempts


@then("every storage machine and the endpoint refuse each of them")
@then("every attempt is refused")
def check_refused(attempts: list[Attempt]) -> None:
    for attempt in attempts:
        _refused(attempt)


@when("somebody without any key tries to list, read, write and delete", target_fixture="attempts")
def try_without_key(lab: Lab, shared: SharedState) -> list[Attempt]:
    stranger = StoreProbe(replace(lab.store, access_key="", secret_key=""))
    bucket = f"{lab.store.bucket} at {lab.store.endpoint}"
    return [
        Attempt(f"listing {bucket} without a key", stranger.versions(lab.store.own).error),
        Attempt(f"reading a state in {bucket} without a key", stranger.get(shared.key).error),
        Attempt(f"writing a state to {bucket} without a key", stranger.put(shared.key, b"{}").error),
        Attempt(f"deleting a state in {bucket} without a key", stranger.remove(shared.key).error),
    ]


@then("the state can still be read, unchanged")
def check_unchanged(store: StoreProbe, shared: SharedState) -> None:
    now = snapshot(store, shared.key).serial
    assert now == shared.serials[-1], f"expected serial {shared.serials[-1]}; observed {now}"


@dataclass(frozen=True)
class Order:
    """An order to a statistics page, harmless as it asks for what is already so."""

    balancer: Machine
    answer: HttpLook


@when("a stranger orders each balancer, through its statistics page, to keep a healthy runner in service", target_fixture="orders")
def send_orders(lab: Lab) -> list[Order]:
    orders = []
    for balancer in lab.balancers:
        address = balancer.at(lab.topology.statistics_port)
        servers = [server for server in read_statistics(address).servers if server.in_rotation and server.name == lab.runners[0].name]
        pool = servers[0].pool if servers else "tofu_runner_fleet"
        form = {"s": lab.runners[0].name, "b": pool, "action": "ready"}
        orders.append(Order(balancer, look(f"http://{address}{PAGE}", method="POST", form=form)))
    return orders


@then("no balancer follows the order")
def check_orders(orders: list[Order]) -> None:
    for order in orders:
        answer = order.answer
        assert answer.status is not None, f"expected {order.balancer.name} to answer on its statistics page; observed {answer}"
        followed = any(word in answer.location for word in FOLLOWED)
        assert not followed, f"expected {order.balancer.name} to refuse a stranger's order; observed {answer.status} {answer.location}"


@given("a runner that lost its proof of identity and was given a stranger's key", target_fixture="fault")
def plant_stranger(lab: Lab, breaker: Breaker) -> Fault:
    return breaker.inject(StrangersKey(lab.runners[-1]))


@when(
    parsers.parse("a pipeline that trusts only the lab's own machines connects {times:d} times for each runner"), target_fixture="sessions"
)
def connect_warily(lab: Lab, times: int) -> list[SshOutcome]:
    client = pipeline_client(lab)
    return [client.run("hostname") for _ in range(times * len(lab.runners))]


@then("it refuses to talk to the stranger")
def check_stranger(fault: Fault, sessions: list[SshOutcome]) -> None:
    names = [outcome.stdout.strip() for outcome in sessions if outcome.ok]
    assert fault.machine.name not in names, (
        f"expected nobody to be served by {fault.machine.name}, which has a stranger's key; observed that it served"
    )
    refused = [outcome for outcome in sessions if outcome.reached is Reached.STRANGER]
    assert refused, (
        f"expected the stranger to be met and refused in {len(sessions)} connections; observed {[str(outcome) for outcome in sessions]}"
    )


@then("it is served by all other runners")
def check_served(lab: Lab, fault: Fault, sessions: list[SshOutcome]) -> None:
    names = {outcome.stdout.strip() for outcome in sessions if outcome.ok}
    others = {runner.name for runner in lab.runners} - {fault.machine.name}
    assert names == others, f"expected to be served by {sorted(others)}; observed {sorted(names)}"
    for outcome in sessions:
        assert outcome.ok or outcome.reached is Reached.STRANGER, f"expected every other connection to be served; observed {outcome}"
