"""Who holds sessions knows which lived, which were ended and how; stores are asked in turns, and one that refuses is no answer."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from model.errors import AcceptanceError, PromiseBroken
from model.history import Operation, Outcome
from model.lab import Lab
from model.waiting import wait_until
from probes import ssh
from probes.answers import Answer, StoreError
from probes.clients.sessions import SessionHolder
from probes.clients.store import StoreClient
from probes.outcomes import Reached, SshOutcome
from probes.store import StoreProbe
from tests.unit.probes_more.test_jobs import FakeChannel, FakeCommand

PATIENCE = timedelta(seconds=10)


class Fleet(FakeChannel):
    """Lets in as many as a test says, each to the next runner."""

    def __init__(self, lets_in: int) -> None:
        """Nobody is in yet."""
        super().__init__()
        self.left, self.commands = lets_in, list[FakeCommand]()

    def connect(self, login: object) -> Fleet | SshOutcome:
        del login
        self.left -= 1
        return self if self.left >= 0 else SshOutcome(Reached.REFUSED, detail="Connection refused")

    def start(self, command: str, **_: object) -> FakeCommand:
        assert "seq 900)" in command
        self.commands.append(FakeCommand())
        return self.commands[-1]

    def who(self, _lab: object, _session: object) -> str:
        return f"runner0{len(self.commands) % 2 + 1}"


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    there = Fleet(3)
    monkeypatch.setattr(ssh, "fleet_login", lambda _lab: there)
    monkeypatch.setattr(ssh, "connect", there.connect)
    monkeypatch.setattr(ssh, "who_answered", there.who)
    return there


def test_a_session_that_lives_until_the_end_is_good_and_one_that_is_ended_is_told_with_its_runner(lab: Lab, fleet: Fleet) -> None:
    holder = SessionHolder(lab, 3).start()
    assert [holder.with_runner(f"runner0{number}") for number in (1, 2, 3)] == [2, 1, 0]
    fleet.commands[1].is_over = True
    wait_until(lambda: len(holder.operations.failed), lambda count: count == 1, what="the end is seen", within=PATIENCE)
    holder.stop()
    lived, ended = holder.operations.ok, holder.operations.failed
    assert [(each.who, each.detail) for each in lived] == [("runner01", "lived until the client was stopped")] * 2
    assert [(each.who, each.labels["reached"], each.labels["number"]) for each in ended] == [("runner02", "answered", "1")]
    assert [command.closed for command in fleet.commands] == [1, 1, 1]
    assert (fleet.commands[1].finished_within, fleet.commands[0].finished_within) == (timedelta(seconds=1), None)
    assert not holder.broken


def test_who_is_not_let_in_is_told_which_it_was_and_nothing_stays_open(lab: Lab, fleet: Fleet) -> None:
    holder = SessionHolder(lab, 4)
    with pytest.raises(PromiseBroken, match=r"expected session 4 of 4 to be let in at 10\.1\.0\.102:9000; observed .*refused"):
        holder.start()
    assert [command.closed for command in fleet.commands] == [1, 1, 1]


def test_an_end_that_nobody_had_looked_at_yet_is_an_end(lab: Lab, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionHolder, "_watch", lambda _self: None)
    holder = SessionHolder(lab, 1).start()
    fleet.commands[0].is_over = True
    holder.stop()
    assert [(each.outcome, each.who) for each in holder.operations] == [(Outcome.FAILED, "runner01")]


def test_what_our_own_code_does_wrong_is_kept(lab: Lab, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_self: object, _within: timedelta) -> SshOutcome:
        raise KeyError("no")

    holder = SessionHolder(lab, 1).start()
    monkeypatch.setattr(FakeCommand, "finish", wrong)
    fleet.commands[0].is_over = True
    wait_until(lambda: holder.broken, bool, what="it is told", within=PATIENCE)
    assert holder.broken == ["KeyError: 'no'"]


def test_a_thread_that_cannot_be_started_leaves_no_session(lab: Lab, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(AcceptanceError, match="the client 'sessions with the fleet' cannot start: can't start new thread"):
        SessionHolder(lab, 2).start()
    assert [command.closed for command in fleet.commands] == [1, 1]


def asked(client: StoreClient, number: int) -> Operation:
    begun = client.begin(number, turn=str(number))
    client.work(begun, number)
    return begun.operation


def test_writes_and_reads_take_turns_and_a_refusal_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    held: dict[str, bytes] = {}
    refusal: list[StoreError] = []
    closed: list[StoreProbe] = []

    def put(_self: StoreProbe, key: str, content: bytes) -> Answer[str]:
        if refusal:
            return Answer(error=refusal[0])
        held[key] = content
        return Answer("1")

    def get(_self: StoreProbe, key: str) -> Answer[bytes]:
        if refusal:
            return Answer(error=refusal[0])
        return Answer(held[key]) if key in held else Answer(error=StoreError("NoSuchKey", 404))

    def close(self: StoreProbe) -> None:
        closed.append(self)

    monkeypatch.setattr(StoreProbe, "put", put)
    monkeypatch.setattr(StoreProbe, "get", get)
    monkeypatch.setattr(StoreProbe, "close", close)
    client = StoreClient(lab, "a")
    before, written, after = asked(client, 1), asked(client, 2), asked(client, 3)
    assert [(each.name, each.outcome, each.labels["turn"]) for each in (before, written, after)] == [
        ("read", Outcome.OK, "1"),
        ("write", Outcome.OK, "2"),
        ("read", Outcome.OK, "3"),
    ]
    assert (before.labels["value"], after.labels["value"]) == ("", written.labels["value"])
    assert held["a"].decode() == written.labels["value"]
    refusal.append(StoreError("silent", None, "nothing came"))
    failed = [asked(client, 4), asked(client, 5)]
    assert [(each.name, each.outcome, each.detail) for each in failed] == [
        ("write", Outcome.FAILED, "silent: nothing came"),
        ("read", Outcome.FAILED, "silent: nothing came"),
    ]
    assert len(closed) == 5
    assert not client.stale_reads()


def test_there_is_one_writer(lab: Lab) -> None:
    client = StoreClient(lab, "a")
    turns = [client.begin(number).operation.name for number in (0, 2, 4)]
    assert turns == ["write", "read", "read"]
