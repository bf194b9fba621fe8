"""The client that looks for the addresses: what a look saw, and since when everything is elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model.errors import AcceptanceError, ControlChannelLost
from model.history import Operation, Outcome
from model.lab import Fleet, Lab, PublishedKeys, Store
from model.topology import Address, topology
from probes.clients import addresses
from probes.clients.addresses import AddressClient
from probes.outcomes import Reached, SshOutcome

FIRST, SECOND = "10.1.0.101", "10.1.0.102"


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> AddressClient:
    fleet = Fleet(Address(SECOND, 9000), "pipeline", tmp_path_factory.getbasetemp(), PublishedKeys("", {}))
    shape = topology("production")
    assert set(shape.virtual_addresses) == {FIRST, SECOND}
    return AddressClient(Lab("nowhere", "none", shape, {}, fleet, Store(Address(FIRST, 9000), "tofu-state", "user", "no secret")))


def looked(client: AddressClient, at: float, outcome: Outcome, who: str, detail: str = "") -> None:
    client.history.append(Operation("look", at, at + 0.5, outcome, who, detail))


@pytest.mark.parametrize(
    ("having", "reached", "outcome", "who"),
    [
        ({FIRST: ["balancer01"], SECOND: ["balancer01"]}, Reached.ANSWERED, Outcome.OK, "balancer01"),
        ({FIRST: ["balancer02"], SECOND: ["balancer01"]}, Reached.ANSWERED, Outcome.OK, "balancer01 and balancer02"),
        ({FIRST: ["balancer01"], SECOND: ["balancer01"]}, Reached.SILENT, Outcome.FAILED, "balancer01"),
        ({FIRST: ["balancer01"], SECOND: []}, Reached.ANSWERED, Outcome.FAILED, "balancer01"),
        ({FIRST: ["balancer01", "balancer02"], SECOND: ["balancer01"]}, Reached.ANSWERED, Outcome.FAILED, "balancer01 and balancer02"),
    ],
)
def test_a_look_is_good_where_each_address_has_one_owner_and_the_endpoint_answers(
    client: AddressClient, monkeypatch: pytest.MonkeyPatch, having: dict[str, list[str]], reached: Reached, outcome: Outcome, who: str
) -> None:
    monkeypatch.setattr(addresses, "owners_of_all", lambda _: having)
    monkeypatch.setattr(addresses, "knock", lambda *_: SshOutcome(reached))
    begun = client.begin(3)
    client.work(begun, 3)
    assert (begun.operation.outcome, begun.operation.who) == (outcome, who)
    for address, names in having.items():
        assert f"{address}: {' and '.join(names) or 'nobody'}" in begun.operation.detail
    assert begun.operation.detail.endswith(f"; the endpoint: {reached}")


def test_a_look_that_could_not_be_taken_is_unknown_and_tells_why(client: AddressClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_: Lab) -> dict[str, list[str]]:
        msg = "balancer02 cannot be asked"
        raise ControlChannelLost(msg)

    monkeypatch.setattr(addresses, "owners_of_all", lost)
    begun = client.begin(1)
    client.work(begun, 1)
    assert (begun.operation.outcome, begun.operation.detail) == (Outcome.UNKNOWN, "balancer02 cannot be asked")
    with pytest.raises(AcceptanceError, match="balancer02 cannot be asked"):
        client.moved_from("balancer01")


def test_before_the_first_look_nothing_has_moved(client: AddressClient) -> None:
    assert client.moved_from("balancer01") == addresses.Move(None, "nobody has looked yet")


def test_it_has_moved_since_the_first_look_that_found_it_elsewhere_as_all_later_ones(client: AddressClient) -> None:
    looked(client, 1, Outcome.OK, "balancer01")
    looked(client, 2, Outcome.OK, "balancer02")
    looked(client, 3, Outcome.FAILED, "", "nobody")
    assert client.moved_from("balancer01") == addresses.Move(None, "nobody")
    looked(client, 4, Outcome.OK, "balancer02")
    looked(client, 5, Outcome.UNKNOWN, "", "could not be asked")
    looked(client, 6, Outcome.OK, "balancer02", "with the other")
    assert client.moved_from("balancer01") == addresses.Move(4.5, "with the other")
    assert str(client.moved_from("balancer01")) == "with the other"
    assert client.moved_from("balancer02").ended is None


def test_only_the_newest_look_has_to_have_been_taken(client: AddressClient) -> None:
    looked(client, 1, Outcome.UNKNOWN, "", "not yet")
    looked(client, 2, Outcome.OK, "balancer02")
    assert client.moved_from("balancer01").ended == 2.5
    looked(client, 3, Outcome.UNKNOWN, "", "not any more")
    with pytest.raises(AcceptanceError, match="not any more"):
        client.moved_from("balancer01")


def test_where_they_are_shared_with_the_one_that_had_them_they_have_not_moved(client: AddressClient) -> None:
    looked(client, 1, Outcome.OK, "balancer01 and balancer02")
    assert client.moved_from("balancer01").ended is None


def test_what_our_own_code_did_wrong_is_not_taken_for_a_move(client: AddressClient) -> None:
    looked(client, 1, Outcome.OK, "balancer02")
    client.broken.append("TypeError: oh")
    with pytest.raises(AcceptanceError, match="TypeError: oh"):
        client.moved_from("balancer01")


def test_looks_may_take_as_long_as_a_knock_and_none_is_left_out(client: AddressClient) -> None:
    assert (client.every, client.at_once) == (timedelta(milliseconds=100), 22)
