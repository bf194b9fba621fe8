"""What is owed to a state in the end: its history, no lock, no state that could not be stored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from model.aftermath import Aftermath
from model.errors import AcceptanceError, ControlChannelLost, PromiseBroken
from model.history import History, Operation, Outcome
from model.lab import Ability, CommandResult, Lab, Machine
from model.topology import MachineSpec, Role
from probes.answers import UNREADABLE, Answer, StoreError
from probes.apply_loop import ApplyLoop
from probes.clients.crew import Clients
from probes.clients.paced import PacedClient
from probes.lock_error import LockInfo
from probes.snapshots import ObjectVersion, StateSnapshot, StateVersion
from probes.state_histories import StateHistories
from probes.store import StoreProbe
from tests.unit.history.conftest import KEY, job
from tests.unit.history.test_paced import Stub

SILENT = StoreError("silent")


class FakeStore:
    """A store whose answers are planned."""

    def __init__(self) -> None:
        """Plan an empty, versioned bucket."""
        self.versioned: Answer[str] = Answer("Enabled")
        self.history: Answer[tuple[StateVersion, ...]] = Answer(())
        self.current: Answer[StateSnapshot] = Answer(error=StoreError("NoSuchKey", 404))
        self.lock: Answer[LockInfo] = Answer()

    def versioning(self) -> Answer[str]:
        return self.versioned

    def state_history(self, _key: str) -> Answer[tuple[StateVersion, ...]]:
        return self.history

    def state(self, _key: str) -> Answer[StateSnapshot]:
        return self.current

    def lock_object(self, _key: str) -> Answer[LockInfo]:
        return self.lock


class FakeRunner:
    """A runner on which a look finds what was planned."""

    name, spec = "runner01", MachineSpec("runner01", "10.1.0.103", Role.RUNNER)

    def __init__(self) -> None:
        """Plan that there is nothing."""
        self.found, self.able, self.lost = "", True, False

    def can(self, ability: Ability) -> bool:
        return self.able and ability is Ability.CONTROL

    def run(self, command: str) -> CommandResult:
        assert KEY in command
        if self.lost:
            raise ControlChannelLost(self.name)
        return CommandResult(command, 0, self.found, "")


def version(serial: int, token: str) -> StateVersion:
    raw = json.dumps({"serial": serial, "lineage": "one", "outputs": {"value": {"value": token}}}).encode()
    return StateVersion(ObjectVersion(KEY, f"v{serial}"), StateSnapshot.from_json(raw, f"v{serial}"))


def applied(token: str, outcome: Outcome = Outcome.OK, **labels: str) -> Operation:
    return Operation("apply", 1, 2, outcome, "runner01", labels={"key": KEY, "token": token, **labels})


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def runner(lab: Lab) -> FakeRunner:
    made = FakeRunner()
    lab.machines["runner01"] = cast("Machine", made)
    return made


@pytest.fixture
def states(lab: Lab, store: FakeStore, runner: FakeRunner) -> StateHistories:
    return StateHistories(lab, cast("StoreProbe", store))


def recorded(states: StateHistories, *applies: Operation) -> None:
    history = History("test")
    for apply in applies:
        history.append(apply)
    states.watch(KEY, history)


def test_where_nothing_is_watched_nothing_is_asked(states: StateHistories, store: FakeStore) -> None:
    store.versioned = Answer(error=SILENT)
    assert states.check() == []


def test_a_sound_state_is_judged_with_all_of_its_applies(states: StateHistories, store: FakeStore) -> None:
    store.history = Answer((version(1, "a"), version(2, "b")))
    recorded(states, applied("a"))
    assert states.applied(KEY, "b", lambda: job(0)).ok
    assert [str(each) for each in states.check()] == [f"{KEY}: 2 versions, 2 serials, 2 applies"]
    assert len(states.check()) == 1


def test_an_apply_of_another_state_does_not_count(states: StateHistories, store: FakeStore) -> None:
    store.history = Answer((version(1, "a"),))
    recorded(states, applied("a"), applied("z", key="another"))
    assert states.check()[0].applies == 1


def test_a_lost_change_is_a_broken_promise(states: StateHistories, store: FakeStore) -> None:
    store.history = Answer((version(1, "a"),))
    recorded(states, applied("a"), applied("b"))
    with pytest.raises(PromiseBroken, match="exactly one serial to carry b"):
        states.check()


def test_a_version_written_by_hand_is_exempt(states: StateHistories, store: FakeStore) -> None:
    store.history = Answer((version(1, "a"), version(7, "x")))
    recorded(states, applied("a"))
    with pytest.raises(PromiseBroken):
        states.check()
    states.wrote_by_hand(KEY, "v7")
    (judgement,) = states.check()
    assert (judgement.versions, judgement.exempt) == (1, 1)


@pytest.mark.parametrize("lock", [Answer(LockInfo("id", who="tofu@runner01")), Answer(error=StoreError(UNREADABLE, None, "no JSON"))])
def test_a_lock_that_is_left_is_a_broken_promise(states: StateHistories, store: FakeStore, lock: Answer[LockInfo]) -> None:
    store.history, store.lock = Answer((version(1, "a"),)), lock
    recorded(states, applied("a"))
    with pytest.raises(PromiseBroken, match=f"no lock of {KEY} to be left.*(tofu@runner01|no JSON)"):
        states.check()


def test_a_lock_that_a_killed_apply_may_hold_is_told(states: StateHistories, store: FakeStore) -> None:
    store.history, store.lock = Answer((version(1, "a"),)), Answer(LockInfo("id", who="tofu@runner01"))
    recorded(states, applied("a"), applied("b", Outcome.UNKNOWN))
    assert "an apply of unknown outcome may hold" in str(states.check()[0])


def test_a_state_that_could_not_be_stored_is_a_broken_promise(states: StateHistories, store: FakeStore, runner: FakeRunner) -> None:
    store.history = Answer((version(1, "a"),))
    recorded(states, applied("a"))
    runner.found = "/tmp/pipeline-x/work/errored.tfstate\n/tmp/pipeline-y/work/errored.tfstate\n"
    with pytest.raises(PromiseBroken, match=r"errored\.tfstate.* on runner01: /tmp/pipeline-x"):
        states.check()


def test_a_job_that_told_of_one_counts_although_its_folder_is_gone(states: StateHistories, store: FakeStore) -> None:
    store.history = Answer((version(1, "a"),))
    later = replace(applied("c", Outcome.FAILED, errored_state="yes"), started=5, ended=6, who="runner02")
    recorded(states, applied("a"), applied("b", Outcome.FAILED, errored_state="yes"), later)
    with pytest.raises(PromiseBroken, match=r"errored\.tfstate.* on runner01: apply failed after 1\.00 s by runner01"):
        states.check()


def test_runners_without_a_control_channel_are_told(states: StateHistories, store: FakeStore, runner: FakeRunner) -> None:
    store.history = Answer((version(1, "a"),))
    recorded(states, applied("a"))
    runner.able = False
    assert "not looked for errored.tfstate on runner01" in str(states.check()[0])


def test_beside_a_runner_that_nobody_gets_into_the_others_are_looked_at(
    states: StateHistories, store: FakeStore, runner: FakeRunner, lab: Lab
) -> None:
    store.history = Answer((version(1, "a"),))
    recorded(states, applied("a"))
    other = FakeRunner()
    other.name, other.found = "runner02", "/tmp/pipeline-x/work/errored.tfstate\n"
    lab.machines["runner02"], runner.able = cast("Machine", other), False
    with pytest.raises(PromiseBroken, match=r"errored\.tfstate.* on runner02: /tmp/pipeline-x"):
        states.check()


def test_of_a_bucket_without_versions_what_is_no_state_is_broken_what_cannot_be_read_is_not(
    states: StateHistories, store: FakeStore
) -> None:
    recorded(states, applied("a"))
    store.versioned, store.current = Answer("Off"), Answer(error=StoreError(UNREADABLE, None, "no JSON"))
    with pytest.raises(PromiseBroken):
        states.check()
    store.current = Answer(error=SILENT)
    with pytest.raises(AcceptanceError, match=f"the state {KEY} cannot be read: ") as refused:
        states.check()
    assert not isinstance(refused.value, PromiseBroken)


def test_where_versions_are_suspended_the_current_object_may_have_been_written_by_hand(states: StateHistories, store: FakeStore) -> None:
    store.versioned, store.current = Answer("Suspended"), Answer(version(5, "x").snapshot)
    states.watch(KEY)
    states.wrote_by_hand(KEY, "v5")
    assert states.check()[0].exempt == 1


def test_of_several_things_that_cannot_be_read_the_first_is_told(states: StateHistories, store: FakeStore) -> None:
    store.versioned = store.lock = Answer(error=SILENT)  # type: ignore[assignment]
    states.watch(KEY)
    with pytest.raises(AcceptanceError, match="whether the bucket keeps versions"):
        states.check()


def test_a_bucket_without_versions_is_told(states: StateHistories, store: FakeStore) -> None:
    store.versioned, store.current = Answer("Off"), Answer(version(5, "a").snapshot)
    recorded(states, applied("a"))
    assert "only the current object was judged" in str(states.check()[0])
    store.current = Answer(error=StoreError("NoSuchKey", 404))
    with pytest.raises(PromiseBroken, match=r"to hold a, which finished last .*; observed no state"):
        states.check()


@pytest.mark.parametrize("part", ["versioned", "history", "lock", "runner"])
def test_what_cannot_be_read_is_no_verdict_about_the_lab(states: StateHistories, store: FakeStore, runner: FakeRunner, part: str) -> None:
    store.history = Answer((version(1, "a"),))
    recorded(states, applied("a"))
    if part == "runner":
        runner.lost = True
    else:
        setattr(store, part, Answer(error=SILENT))
    with pytest.raises(AcceptanceError):
        states.check()


def test_a_broken_promise_counts_more_than_what_cannot_be_read(states: StateHistories, store: FakeStore, runner: FakeRunner) -> None:
    runner.lost = True
    recorded(states, applied("a"))
    with pytest.raises(PromiseBroken):
        states.check()


def test_a_client_is_stopped_with_the_scenario_and_after_later_faults_are_healed(states: StateHistories) -> None:
    aftermath, order = Aftermath(), []
    client = Clients(aftermath, states).start(Stub())
    aftermath.heal(lambda: order.append(client.running))
    for duty in reversed(aftermath.heals):
        duty()
    assert order == [True]
    assert not client.running


def test_the_states_of_an_apply_loop_are_watched(states: StateHistories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApplyLoop, "start", lambda loop: loop)
    loop = ApplyLoop(states._lab, ["one", "two"])
    Clients(Aftermath(), states).start(loop)
    assert {key: entry.histories for key, entry in states._watched.items()} == {"one": [loop.history], "two": [loop.history]}


def test_a_client_that_broke_makes_the_scenario_inconclusive(states: StateHistories) -> None:
    aftermath = Aftermath()
    client = Clients(aftermath, states).start(Stub(error=ValueError("wrong"), most=1))
    cast("Any", client)._scheduler.join(5)
    client.stop()
    with pytest.raises(AcceptanceError, match="ValueError"):
        aftermath.invariants[0]()


def test_a_client_that_cannot_start_is_owed_a_stop_all_the_same(states: StateHistories, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: PacedClient) -> None:
        msg = "no"
        raise AcceptanceError(msg)

    aftermath = Aftermath()
    monkeypatch.setattr(Stub, "start", refuse)
    with pytest.raises(AcceptanceError):
        Clients(aftermath, states).start(Stub())
    assert len(aftermath.heals) == 1


def test_the_folder_of_another_state_is_not_looked_at(tmp_path: Path) -> None:
    """The look itself, run by a shell on folders of this test."""
    import subprocess  # noqa: PLC0415 - one test

    from probes.state_histories import _LOOK  # noqa: PLC0415 - one test

    for name, key in (("a", KEY), ("b", "acceptance/run/other")):
        work = tmp_path / f"pipeline-{name}" / "work"
        (work / ".terraform").mkdir(parents=True)
        (work / "errored.tfstate").touch()
        (work / ".terraform" / "terraform.tfstate").write_text(json.dumps({"backend": {"config": {"key": key}}}))
    command = _LOOK.format(key=KEY).replace("/tmp/", f"{tmp_path}/")
    found = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert found == f"{tmp_path}/pipeline-a/work/errored.tfstate\n"
