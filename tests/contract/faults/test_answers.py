"""An answer of the store that is lost: the object is there, and whoever wrote it never heard of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from faults.answers import CONFIGURATION, AnswerLost
from faults.breaker import Breaker
from faults.service import SshStopped
from faults.targets import any_storage_node, balancer_that_owns, runner_that_holds
from model.aftermath import Aftermath
from model.errors import AbilityMissing, PromiseBroken, UnsafeLab
from model.lab import Lab
from model.topology import Address
from probes.condition import Condition
from probes.haproxy_config import read_running_configuration
from probes.store import LOCK_SUFFIX, StoreProbe
from tests.contract.faults.zoo import S3, STATE, Strike
from tests.contract.peer import Peer

FILE = f"stat -c '%Y %a %U' {CONFIGURATION}; sha256sum {CONFIGURATION}"


def test_the_lock_is_taken_and_nobody_is_told(lab: Lab, peer: Peer, broken: Strike) -> None:
    store = StoreProbe(lab.store, within=timedelta(seconds=2))
    node = StoreProbe(lab.store, Address(lab.storage[0].address, S3))
    files = [balancer.run(FILE).stdout for balancer in lab.balancers]
    fault = broken(AnswerLost.of_lock(lab, STATE))
    try:
        told = peer.call(store.conditional_put, STATE + LOCK_SUFFIX, b"{}")
        assert told.error is not None
        assert told.error.status is None, f"nobody answers; observed {told.error}"
        assert peer.call(node.get, STATE + LOCK_SUFFIX).value == b"{}"
        assert peer.call(store.put, STATE, b"{}").ok, "another object's answers arrive"
        assert peer.call(store.get, STATE + LOCK_SUFFIX).ok, "reading is not concerned"
        refused = peer.call(store.conditional_put, STATE + LOCK_SUFFIX, b"{}")
        assert refused.error is not None
        assert refused.error.status == 412, "whoever asks again is told that the lock is taken"
        peer.call(fault.undo)
        peer.call(fault.prove_recovery)
        again = peer.call(store.conditional_put, STATE + LOCK_SUFFIX, b"{}")
        assert again.error is not None
        assert again.error.status == 412
        assert peer.call(node.keys, "acceptance/contract/").value == (STATE, STATE + LOCK_SUFFIX), "no decoy is left"
    finally:
        peer.call(node.remove_all, STATE)
    assert [balancer.run(FILE).stdout for balancer in lab.balancers] == files
    assert all("state_storage" in read_running_configuration(balancer) for balancer in lab.balancers)


def test_it_needs_a_balancer_before_the_store(lab: Lab) -> None:
    direct = replace(lab, store=replace(lab.store, endpoint=Address("10.1.0.11", S3)))
    with pytest.raises(AbilityMissing, match=r"no balancer stands before the state store at 10\.1\.0\.11:9000"):
        AnswerLost.of_lock(direct, STATE)
    with pytest.raises(AbilityMissing, match="no balancer that could lose an answer"):
        AnswerLost.of_lock(replace(lab, machines={machine.name: machine for machine in lab.runners}), STATE)


def test_a_machine_has_one_fault_at_a_time(lab: Lab, peer: Peer, baseline: Condition) -> None:
    aftermath, asked = Aftermath(), []
    breaker = Breaker(aftermath, lambda: asked.append("steady"), lambda: asked.append("recovered"))
    first = peer.call(breaker.inject, SshStopped(lab.balancers[0]))
    try:
        with pytest.raises(UnsafeLab, match="balancer01 already has a fault that is not healed: <SshStopped balancer01>"):
            peer.call(breaker.inject, AnswerLost.of_lock(lab, STATE))
        second = peer.call(breaker.inject, SshStopped(lab.runners[0]))
        took = peer.call(breaker.heal, first)
        assert took.total_seconds() < 30
        assert breaker.unhealed == [second]
    finally:
        for heal in reversed(aftermath.heals):
            peer.call(heal)
    assert asked == ["steady"]
    assert peer.attempt(lab.runners[0]) == "open"


def test_targets_are_found_by_their_role(lab: Lab, peer: Peer, baseline: Condition) -> None:
    store = StoreProbe(lab.store)
    assert lab.fleet.endpoint.host in balancer_that_owns(lab).run("ip -4 address").stdout
    assert {any_storage_node(lab, Random(seed)) for seed in range(40)} == set(lab.storage)  # noqa: S311 - no secret
    with pytest.raises(PromiseBroken, match="observed no lock"):
        peer.call(runner_that_holds, lab, store, STATE)
    lock = {"ID": "1", "Operation": "OperationTypeApply", "Who": "pipeline@runner02", "Created": "2026-01-01T00:00:00Z", "Path": "x"}
    try:
        peer.call(store.put, STATE + LOCK_SUFFIX, json.dumps({**lock, "Info": "", "Version": "1.12.6"}).encode())
        assert peer.call(runner_that_holds, lab, store, STATE).name == "runner02"
    finally:
        peer.call(store.remove_all, STATE)
