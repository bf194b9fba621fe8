"""Every history that must not be is caught, and none that may be."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from model.errors import PromiseBroken
from model.history import Operation, Outcome
from probes.invariant import ONLY_CURRENT, Judgement, check_history
from probes.snapshots import ObjectVersion, StateSnapshot, StateVersion

KEY = "acceptance/run/scenario/terraform.tfstate"


def version(serial: int, token: str | None, *, lineage: str = "one", name: str = "", extra: str = "") -> StateVersion:
    outputs = {} if token is None else {"value": {"value": token, "type": "string"}}
    raw = json.dumps({"version": 4, "serial": serial, "lineage": lineage, "outputs": outputs, "resources": [], "x": extra}).encode()
    name = name or f"v{serial}{token}{lineage}{extra}"
    return StateVersion(ObjectVersion(KEY, name), StateSnapshot.from_json(raw, name))


def broken(name: str, *, deleted: bool = False) -> StateVersion:
    return StateVersion(ObjectVersion(KEY, name, is_delete_marker=deleted))


def applied(token: str, started: float, ended: float | None = None, outcome: Outcome = Outcome.OK, effect: str = "") -> Operation:
    labels = {"key": KEY, "token": token} | ({"effect": effect} if effect else {})
    return Operation("apply", started, started + 0.5 if ended is None else ended, outcome, "runner01", labels=labels)


A, B, C = applied("a", 1), applied("b", 2), applied("c", 3)
V1, V2, V3 = version(1, "a"), version(2, "b"), version(3, "c")
UNKNOWN_B = applied("b", 2, outcome=Outcome.UNKNOWN)
FAILED_B = applied("b", 2, outcome=Outcome.FAILED, effect="possible")
REFUSED_B = applied("b", 2, outcome=Outcome.FAILED, effect="none")
ACKNOWLEDGED_BUT_LOST_B = applied("b", 2, outcome=Outcome.FAILED, effect="certain")


def judge(versions: Sequence[StateVersion], *applies: Operation, by_hand: Sequence[str] = (), versioned: bool = True) -> str:
    return str(check_history(KEY, versions, applies, by_hand=by_hand, versioned=versioned))


@pytest.mark.parametrize(
    ("versions", "applies"),
    [
        pytest.param([V1, V2, V3], [A, B, C], id="one serial each"),
        pytest.param([V1, V2, V2, V3], [A, B, C], id="a version repeated byte for byte"),
        pytest.param([V1, version(2, "c")], [A, UNKNOWN_B, C], id="unknown, and never seen"),
        pytest.param([V1, V2, V3], [A, UNKNOWN_B, C], id="unknown, and seen once"),
        pytest.param([V1, version(2, "c"), version(3, "b")], [A, UNKNOWN_B, C], id="unknown, and takes effect late"),
        pytest.param([V1, V2, V3], [A, FAILED_B, C], id="failed after it had written"),
        pytest.param([V1, version(2, "c")], [A, FAILED_B, C], id="failed before it had written"),
        pytest.param([V1, version(2, "c")], [A, REFUSED_B, C], id="refused, and never seen"),
        pytest.param([V1, V2, V3], [A, ACKNOWLEDGED_BUT_LOST_B, C], id="session lost after the apply was acknowledged"),
        pytest.param([version(1, "b"), version(2, "a")], [applied("a", 1, 3), applied("b", 1.5, 2)], id="overlapping, either order"),
        pytest.param([version(1, "a"), version(2, "b")], [applied("a", 1, 3), applied("b", 1.5, 2)], id="overlapping, other order"),
        pytest.param([], [REFUSED_B], id="nothing was ever written"),
        pytest.param([V1, V2, version(3, None)], [], id="nothing recorded: serials and lineage alone"),
        pytest.param([version(7, "a")], [A], id="a history that began elsewhere"),
    ],
)
def test_a_history_that_may_be(versions: list[StateVersion], applies: list[Operation]) -> None:
    assert f"{len(applies)} applies" in judge(versions, *applies)


@pytest.mark.parametrize(
    ("versions", "applies", "words"),
    [
        pytest.param([V1, V2, version(2, "c")], [A, B, C], "serial 3 after serial 2.*other content of the same serial", id="fork"),
        pytest.param([V1, V2, version(2, "b", extra="y")], [A, B], "other content of the same serial", id="repeated, not byte for byte"),
        pytest.param([V1, V3], [A, C], "serial 2 after serial 1.*serial 3", id="gap"),
        pytest.param([V1, V2, V1], [A, B], "serial 3 after serial 2.*serial 1", id="step back to an older version"),
        pytest.param([V1, version(2, "b", lineage="two")], [A, B], "lineage one to stay.*two at serial 2", id="lineage changed"),
        pytest.param([V1, version(2, "c")], [A, B, C], "exactly one serial to carry b .*none among 2", id="acknowledged change lost"),
        pytest.param([V1], [A, B], "exactly one serial to carry b", id="last acknowledged change lost"),
        pytest.param([], [A], "exactly one serial to carry a .*none among 0", id="everything lost"),
        pytest.param([V1, V2, version(3, "b")], [A, B], r"exactly one serial to carry b .*\[2, 3\]", id="value in two serials"),
        pytest.param([V1, V2, version(3, "a")], [A, B], r"to carry a .*\[1, 3\]", id="an old value came back"),
        pytest.param([version(1, "b"), version(2, "a")], [A, B], "a before b, whose apply began 0.50 s after", id="out of order"),
        pytest.param([V1, V2, version(3, "b")], [A, UNKNOWN_B], "at most one serial to carry b", id="unknown twice"),
        pytest.param([V1, V2, version(3, "c"), version(4, "b")], [A, FAILED_B, C], "at most one serial", id="failed twice"),
        pytest.param([V1, V2, V3], [A, REFUSED_B, C], "no serial to carry b", id="refused, but it was let in"),
        pytest.param([version(1, "b"), version(2, "a")], [A, UNKNOWN_B], "a before b", id="unknown too early"),
        pytest.param(
            [V1, version(2, "c")], [A, ACKNOWLEDGED_BUT_LOST_B, C], "exactly one serial to carry b", id="acknowledged in a lost session"
        ),
        pytest.param(
            [V1, V2, version(3, "x")], [A, B], "to hold b.*x, which no recorded apply wrote, at serial 3", id="a stranger's value on top"
        ),
        pytest.param([V1, V2, version(3, None)], [A, B], "to hold b.*no value, at serial 3", id="emptied"),
        pytest.param([V1, broken("cut"), V2], [A, B], "content that is no state", id="content destroyed"),
        pytest.param([V1, V2, broken("gone", deleted=True)], [A, B], "a delete marker in version gone", id="deleted"),
    ],
)
def test_a_history_that_must_not_be(versions: list[StateVersion], applies: list[Operation], words: str) -> None:
    with pytest.raises(PromiseBroken, match=f"in the history of {KEY}") as caught:
        judge(versions, *applies)
    assert caught.match(words)


def test_the_order_counts_also_after_an_apply_that_may_take_effect_late() -> None:
    unknown = applied("u", 0, outcome=Outcome.UNKNOWN)
    versions = [version(1, "u"), version(2, "b"), version(3, "a"), version(4, "c")]
    with pytest.raises(PromiseBroken, match=r"expected a before b.*observed serial 3 and serial 2"):
        judge(versions, unknown, A, B, C)


def test_what_was_not_counted_is_nothing() -> None:
    empty = Judgement(KEY)
    assert (empty.versions, empty.serials, empty.applies, empty.exempt, empty.remarks) == (0, 0, 0, 0, ())


def test_every_history_that_must_not_be_names_expected_and_observed() -> None:
    with pytest.raises(PromiseBroken, match=r"^expected .* in the history of .*; observed "):
        judge([V1, V3])


def test_what_the_scenario_wrote_by_hand_is_exempt_and_counted() -> None:
    restored = StateVersion(ObjectVersion(KEY, "hand-2"), V1.snapshot)
    again = version(2, "c", name="v2-again")
    versions = [V1, V2, broken("hand-1"), restored, again]
    assert judge(versions, A, B, C, by_hand=["hand-1", "hand-2"]).endswith("2 written by hand")
    with pytest.raises(PromiseBroken, match="no state"):
        judge(versions, A, B, C, by_hand=["hand-2"])
    with pytest.raises(PromiseBroken, match="serial 3 after serial 2"):
        judge(versions, A, B, C, by_hand=["hand-1"])


def test_a_destroyed_state_is_continued_where_it_was() -> None:
    assert judge([V1, broken("hand"), V2], A, B, by_hand=["hand"])
    with pytest.raises(PromiseBroken, match="serial 2 after serial 1"):
        judge([V1, broken("hand"), V3], A, C, by_hand=["hand"])


def test_what_follows_a_foreign_state_continues_that_one() -> None:
    foreign = version(9, "z", lineage="two", name="hand")
    assert judge([V1, foreign, version(10, "b", lineage="two")], A, B, by_hand=["hand"])
    with pytest.raises(PromiseBroken, match="lineage two to stay"):
        judge([V1, foreign, version(10, "b")], A, B, by_hand=["hand"])


def test_without_versions_the_current_object_alone_is_judged_and_it_says_so() -> None:
    assert ONLY_CURRENT in judge([V2], A, B, versioned=False)
    assert ONLY_CURRENT in judge([V2], A, B, UNKNOWN_B, versioned=False)
    assert ONLY_CURRENT not in judge([V1, V2], A, B)


@pytest.mark.parametrize("versions", [[], [V1], [version(3, "x")], [broken("cut")]])
def test_without_versions_a_lost_change_is_caught_all_the_same(versions: list[StateVersion]) -> None:
    with pytest.raises(PromiseBroken):
        judge(versions, A, B, versioned=False)


def test_without_versions_an_object_written_by_hand_says_nothing_about_applies() -> None:
    hand = version(1, "x", name="hand")
    assert judge([hand], A, B, by_hand=["hand"], versioned=False)
