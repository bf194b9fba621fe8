"""Real applies from every runner make a history that holds; a version that was overwritten by hand is found."""

from __future__ import annotations

import json

import pytest

from model.errors import PromiseBroken
from model.lab import Lab
from probes.job_steps import apply
from probes.ssh import runner_login
from probes.state_histories import StateHistories
from probes.store import StoreProbe
from probes.tofu import JobOutcome, run_job
from probes.workspace import counted, fresh_value
from tests.contract.clients.conftest import Inside


@pytest.fixture
def applied_everywhere(lab: Lab, inside: Inside, states: StateHistories, key: str) -> list[JobOutcome]:
    """Every runner in turn applied a value of its own."""
    outcomes = []
    for runner in lab.runners:
        token = fresh_value()

        def run(login: object = runner_login(lab, runner), token: str = token) -> JobOutcome:
            outcome: JobOutcome = inside(run_job, login, counted(key, token), [apply()])
            return outcome

        outcomes.append(states.applied(key, token, run))
    return outcomes


@pytest.mark.usefixtures("applied_everywhere")
def test_applies_from_every_runner_in_turn_make_a_sound_history(lab: Lab, inside: Inside, states: StateHistories) -> None:
    judged = inside(states.check)[0]
    assert (judged.versions, judged.serials, judged.applies) == (len(lab.runners),) * 3
    assert list(states.history.operations.ok.by_who()) == [runner.name for runner in lab.runners]


@pytest.mark.usefixtures("applied_everywhere")
@pytest.mark.parametrize("what", ["other content", "no state", "an older version", "deleted"])
def test_a_version_that_was_overwritten_by_hand_is_found(
    inside: Inside, states: StateHistories, store: StoreProbe, key: str, what: str
) -> None:
    history = inside(store.state_history, key).value
    newest = json.loads(history[-1].snapshot.raw)
    contents = {
        "other content": json.dumps({**newest, "check_results": []}).encode(),
        "no state": b"\0" * 100,
        "an older version": history[0].snapshot.raw,
    }
    written = inside(store.remove, key) if what == "deleted" else inside(store.put, key, contents[what])
    assert written.ok
    with pytest.raises(PromiseBroken, match=f"in the history of {key}; observed"):
        inside(states.check)
    by_hand = inside(store.versions, key).value[0].version_id
    states.wrote_by_hand(key, by_hand)
    assert inside(states.check)[0].exempt == 1


@pytest.mark.usefixtures("applied_everywhere")
def test_a_lock_that_is_left_is_found(inside: Inside, states: StateHistories, store: StoreProbe, key: str) -> None:
    lock = {"ID": "left", "Who": "tofu@runner01", "Operation": "OperationTypeApply"}
    assert inside(store.conditional_put, key + ".tflock", json.dumps(lock).encode()).ok
    with pytest.raises(PromiseBroken, match=r"no lock of .* to be left.*tofu@runner01"):
        inside(states.check)


@pytest.mark.usefixtures("applied_everywhere")
def test_a_state_that_could_not_be_stored_is_found_on_its_runner(lab: Lab, inside: Inside, states: StateHistories, key: str) -> None:
    folder = "/tmp/pipeline-contract/work"
    settings = json.dumps({"backend": {"config": {"key": key}}})
    runner = lab.machines["runner02"]
    runner.run(
        f"mkdir -p {folder}/.terraform && touch {folder}/errored.tfstate && cat > {folder}/.terraform/terraform.tfstate",
        stdin=settings.encode(),
    )
    try:
        with pytest.raises(PromiseBroken, match=rf"errored\.tfstate.* on runner02: {folder}"):
            inside(states.check)
    finally:
        runner.run("rm -r /tmp/pipeline-contract")
    assert inside(states.check)
