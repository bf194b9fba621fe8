"""Who connects to the fleet again and again knows who answered, how far each connection came, and leaves none open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from model.errors import LabUnavailable
from model.history import Operation, Outcome
from model.lab import Fleet, Lab, PublishedKeys, Store
from model.topology import Address, MachineSpec, Role, topology
from probes.clients.fleet import FleetClient, greet
from probes.outcomes import Reached
from probes.ssh import Login, runner_login, who_answered
from tests.unit.stand_in import StandIn

SOON = timedelta(milliseconds=300)
PATIENCE = timedelta(seconds=10)


def lab_at(address: Address, keys: dict[str, str], private_key: Path = Path("/nonexistent")) -> Lab:
    fleet = Fleet(address, "pipeline", private_key, PublishedKeys("", keys))
    return Lab("nowhere", "none", topology("single"), {}, fleet, Store(Address("10.1.0.101", 9000), "tofu-state", "user", "no secret"))


def pin_of(login: Login) -> str:
    (pin,) = login.host_keys
    return pin


def test_a_greeting_ends_with_the_proof_of_the_host_key(login: Login) -> None:
    seen = greet(login, PATIENCE)
    assert (seen.reached, seen.host_key, seen.result) == (Reached.ANSWERED, pin_of(login), None)
    assert timedelta() < seen.connect_duration < PATIENCE


def test_who_offers_a_key_that_is_not_pinned_is_a_stranger(login: Login) -> None:
    seen = greet(replace(login, host_keys=frozenset({"ssh-ed25519 AAAA"})), PATIENCE)
    assert (seen.reached, seen.host_key) == (Reached.STRANGER, pin_of(login))
    assert seen.detail == "the host key that was offered is not pinned"


@pytest.mark.parametrize(
    ("place", "reached", "detail"),
    [
        ("refused", Reached.REFUSED, "Connection refused"),
        ("silent", Reached.SILENT, "connected, but no SSH banner came"),
        ("resetting", Reached.RESET, "Connection reset by peer"),
    ],
)
def test_a_greeting_that_came_less_far(login: Login, request: pytest.FixtureRequest, place: str, reached: Reached, detail: str) -> None:
    seen = greet(replace(login, address=request.getfixturevalue(place)), SOON)
    assert seen.reached is reached
    assert detail in seen.detail
    assert seen.host_key == ""


def test_silence_is_waited_for(login: Login, silent: Address) -> None:
    assert greet(replace(login, address=silent), SOON).connect_duration >= SOON - timedelta(milliseconds=50)


def test_a_client_logs_in_unless_it_is_told_not_to(refused: Address) -> None:
    assert FleetClient(lab_at(refused, {})).log_in


def one(client: FleetClient) -> Operation:
    begun = client.begin(7, turn="late")
    client.work(begun, 7)
    return begun.operation


@pytest.mark.parametrize("log_in", [True, False])
def test_a_connection_that_is_answered_says_by_whom(login: Login, log_in: bool) -> None:
    lab = lab_at(login.address, {"runner01": "ssh-ed25519 AAAA other", "runner02": f"{pin_of(login)} comment"}, login.private_key)
    seen = one(FleetClient(lab, log_in=log_in))
    assert (seen.name, seen.outcome, seen.who, seen.detail) == ("connection", Outcome.OK, "runner02", "")
    assert (seen.labels["number"], seen.labels["turn"], seen.labels["reached"]) == ("7", "late", "answered")
    assert seen.labels["connect"].endswith(" s")


def test_a_connection_that_is_not_answered_says_how_far_it_came(refused: Address) -> None:
    seen = one(FleetClient(lab_at(refused, {}), log_in=False))
    assert (seen.outcome, seen.who, seen.labels["reached"]) == (Outcome.FAILED, "", "refused")
    assert "connect" not in seen.labels
    assert "refused" in seen.detail


@pytest.mark.parametrize(("within", "at_once"), [(1, 7), (60, 60)])
def test_as_many_connections_at_once_as_may_be_unanswered(refused: Address, within: int, at_once: int) -> None:
    client = FleetClient(lab_at(refused, {}), timedelta(milliseconds=200), connect_within=timedelta(seconds=within))
    assert client.at_once == at_once


def test_a_runner_is_trusted_by_its_own_key_alone(login: Login) -> None:
    machine = StandIn(MachineSpec("runner02", "127.0.0.1", Role.RUNNER))
    lab = lab_at(login.address, {"runner01": "ssh-ed25519 AAAA", "runner02": f"{pin_of(login)} comment"})
    assert runner_login(lab, machine).host_keys == login.host_keys
    assert who_answered(lab, greet(login, PATIENCE)) == "runner02"


def test_a_runner_without_a_key_may_be_silent_but_not_answer(login: Login, refused: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = StandIn(MachineSpec("runner02", "127.0.0.1", Role.RUNNER))
    lab = lab_at(login.address, {})
    monkeypatch.setattr(StandIn, "ssh", refused)
    assert runner_login(lab, machine).host_keys == frozenset()
    monkeypatch.setattr(StandIn, "ssh", login.address)
    with pytest.raises(LabUnavailable, match="the lab publishes no host key of runner02"):
        runner_login(lab, machine)
