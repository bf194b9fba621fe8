"""A lease: one run at a time in one lab, whatever the store, the other run or a fault of ours does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from model.errors import LabInUse, Unreadable
from model.waiting import Clock
from probes.answers import NO_SUCH_KEY, Answer, StoreError
from probes.lease import CANNOT_LOCK, LIVES_WITHIN, Lease, drop_lease
from probes.lease_holder import GOOD_FOR, Held, Holder
from probes.lease_keeper import LeaseKeeper
from probes.snapshots import Entity
from tests.unit.visit.fake_store import AWAY, REFUSED, FakeStore

KEY = "acceptance/lease.json"
MINE, OTHER = "20261125-100000-aaaa", "20261125-100001-bbbb"


def lease(store: FakeStore, run: str = MINE) -> Lease:
    return Lease(store, Holder.me(run), Clock(lambda: store.now, lambda _seconds: None))  # type: ignore[arg-type]


def taken(store: FakeStore, run: str = MINE) -> Lease:
    made = lease(store, run)
    made.take()
    assert made.missing == ""
    return made


def whose(store: FakeStore) -> str:
    return Holder.from_json(store.versions_of[KEY][-1].content).run


def test_it_is_taken_renewed_and_given_up_without_a_trace() -> None:
    store = FakeStore()
    mine = taken(store)
    assert (mine.weak, whose(store), mine.succeeded) == ("", MINE, None)
    for seconds in (20, 40):
        store.now = seconds
        assert mine.renew()
        assert mine.unrenewed == timedelta()
    assert len(store.versions_of[KEY]) == 1, "what was written over is removed"
    assert Holder.from_json(store.versions_of[KEY][0].content).renewed == 2
    assert mine.give_up() == ""
    assert store.versions_of == {}


def test_a_second_run_is_told_who_is_there_and_what_to_do() -> None:
    store = FakeStore()
    first = taken(store)
    store.now = 100
    with pytest.raises(LabInUse) as caught:
        lease(store, OTHER).take()
    words = str(caught.value)
    for each in (MINE, first.holder.who, f"process {first.holder.pid}", first.holder.since, "good until", "within 120 s"):
        assert each in words
    assert whose(store) == MINE


def test_one_that_expired_is_taken_over_and_the_dead_run_is_named() -> None:
    store = FakeStore()
    first = taken(store)
    store.now = GOOD_FOR.total_seconds() + 1
    second = taken(store, OTHER)
    assert second.succeeded == first.holder
    assert len(store.versions_of[KEY]) == 1
    assert not first.renew()
    assert OTHER in first.lost
    assert first.give_up() == ""
    assert whose(store) == OTHER, "it is not the first run's to remove"


def test_of_two_that_begin_at_the_same_moment_one_holds_it() -> None:
    store = FakeStore()
    store.before_put = lambda: taken(store, OTHER)
    with pytest.raises(LabInUse, match=OTHER):
        lease(store).take()


def test_of_two_that_take_an_expired_one_over_one_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    taken(store, "20261125-090000-dead")
    store.now = 500
    mine, over = lease(store), store.write_over

    def other_is_quicker(key: str, content: bytes, etag: str) -> object:
        monkeypatch.setattr(store, "write_over", over)
        taken(store, OTHER)
        return over(key, content, etag)

    monkeypatch.setattr(store, "write_over", other_is_quicker)
    with pytest.raises(LabInUse, match=OTHER):
        mine.take()


def test_a_store_that_cannot_lock_is_a_remark_and_no_lab_in_use() -> None:
    store = FakeStore(locks=False)
    mine = taken(store)
    assert mine.weak == CANNOT_LOCK
    assert "H01" in mine.weak
    with pytest.raises(LabInUse, match=MINE):
        lease(store, OTHER).take()
    assert mine.renew()
    assert mine.give_up() == ""
    assert store.versions_of == {}


def test_where_the_store_lets_both_pass_the_one_that_reads_another_id_backs_off() -> None:
    store = FakeStore(locks=False)

    def other_writes(_seconds: float) -> None:
        store.conditional_put(KEY, Holder.me(OTHER).as_json())

    mine = Lease(store, Holder.me(MINE), Clock(lambda: 0.0, other_writes))  # type: ignore[arg-type]
    with pytest.raises(LabInUse, match=OTHER):
        mine.take()
    assert mine.give_up() == ""
    assert whose(store) == OTHER


def test_a_store_that_knows_no_condition_for_writing_over() -> None:
    store = FakeStore(matches=False)
    mine = taken(store)
    assert mine.renew()
    assert mine.weak == CANNOT_LOCK
    store.now = 300
    assert taken(store, OTHER).succeeded is not None


def test_a_store_that_knows_no_conditional_write_at_all() -> None:
    store = FakeStore(knows=False, matches=False)
    mine = taken(store)
    assert mine.weak == CANNOT_LOCK
    with pytest.raises(LabInUse, match=MINE):
        lease(store, OTHER).take()
    assert mine.renew()
    assert mine.give_up() == ""
    assert store.versions_of == {}


def test_a_store_that_refuses_what_is_not_there_is_no_lab_in_use() -> None:
    """As versitygw once a delete marker lies on the key."""
    mine = lease(FakeStore(stuck=True))
    mine.take()
    assert "has no such object (H01)" in mine.missing


def test_a_holder_whom_its_own_fault_kept_from_the_store_keeps_its_lease() -> None:
    """The store is back, and another run is quicker in looking than the holder in renewing."""
    store = FakeStore()
    first, paused = taken(store), list[float]()
    store.now = GOOD_FOR.total_seconds() + 1

    def pause(seconds: float) -> None:
        paused.append(seconds)
        assert first.renew()

    second = Lease(store, Holder.me(OTHER), Clock(lambda: store.now, pause))  # type: ignore[arg-type]
    with pytest.raises(LabInUse, match=MINE):
        second.take()
    assert paused == [LIVES_WITHIN.total_seconds()]
    assert (whose(store), first.lost) == (MINE, "")


def test_what_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = lease(FakeStore()), Holder.me(OTHER)

    def held(etag: str, age: timedelta) -> Held:
        return Held(other, Entity(b"", etag, etag, age))

    expired, young = held("1", GOOD_FOR), timedelta()
    for found, alive in (
        (None, False),
        (expired, False),
        (held("1", young), False),
        (held("2", GOOD_FOR), False),
        (held("2", young), True),
    ):
        monkeypatch.setattr(mine, "look", lambda found=found: Answer(found))
        assert mine._sign_of_life(expired) == (found if alive else None)


def test_one_that_ends_this_very_moment_has_expired() -> None:
    store = FakeStore()
    taken(store)
    store.now = GOOD_FOR.total_seconds()
    assert taken(store, OTHER).succeeded is not None


def test_one_that_is_removed_while_it_is_taken_over_is_made_anew() -> None:
    store = FakeStore()
    taken(store)
    store.now = GOOD_FOR.total_seconds() + 1
    second = Lease(store, Holder.me(OTHER), Clock(lambda: store.now, lambda _seconds: store.versions_of.clear()))  # type: ignore[arg-type]
    second.take()
    assert (second.missing, second.succeeded) == ("", None)
    assert whose(store) == OTHER


def test_until_when_it_is_good_is_told() -> None:
    store = FakeStore()
    taken(store)
    with pytest.raises(LabInUse) as refused:
        lease(store, OTHER).take()
    found = re.search(r"good until (\S+ \S+) UTC", str(refused.value))
    assert found is not None
    until = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert timedelta() < until - datetime.now(UTC) <= GOOD_FOR


def test_one_that_was_lost_is_not_taken_back() -> None:
    store = FakeStore()
    mine = taken(store)
    mine.lost = "it is held by another run"
    assert not mine.renew()
    assert Holder.from_json(store.versions_of[KEY][-1].content).renewed == 0


def test_one_that_cannot_be_removed_ends_by_itself_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    mine = taken(store)
    for error, told in ((AWAY, "could not be removed, it ends by itself: refused"), (StoreError(NO_SUCH_KEY, 404), "")):
        with monkeypatch.context() as patch:
            patch.setattr(store, "remove", lambda *_, error=error: Answer(error=error))
            assert told in mine.give_up()
    assert whose(store) == MINE
    mine.missing = ""
    assert mine.give_up() == ""
    assert store.versions_of == {}
    assert mine.give_up() == "", "there is nothing more to give up"


def test_what_was_given_up_is_ours_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    mine = taken(store)
    monkeypatch.setattr(store, "versions", lambda _: Answer(error=AWAY))  # then the one that is there is removed
    assert mine.give_up() == ""
    assert store.versions_of == {}
    again = Lease(store, mine.holder)  # type: ignore[arg-type]
    again.take()
    assert mine.give_up() == ""
    assert whose(store) == MINE, "a lease that was taken anew is not the old one's to remove"


def test_a_store_that_is_away_leaves_the_run_without_a_lease() -> None:
    store = FakeStore(away=True)
    mine = lease(store)
    mine.take()
    assert "refused" in mine.missing
    assert not mine.renew()
    assert mine.give_up() == ""
    store.away = False
    mine.take()
    assert mine.missing == ""


def test_one_that_was_written_and_could_not_be_confirmed_is_removed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    mine, put = lease(store), store.conditional_put

    def and_goes_away(key: str, content: bytes) -> object:
        done = put(key, content)
        store.away = True
        return done

    monkeypatch.setattr(store, "conditional_put", and_goes_away)
    mine.take()
    assert "written, but is not there" in mine.missing
    store.away = False
    assert whose(store) == MINE
    assert mine.give_up() == ""
    assert store.versions_of == {}


def test_what_is_no_lease_is_not_written_over() -> None:
    store = FakeStore()
    store.put(KEY, b"somebody's notes")
    mine = lease(store)
    mine.take()
    assert "no lease of ours" in mine.missing
    assert store.versions_of[KEY][-1].content == b"somebody's notes"


def test_a_fault_of_ours_that_keeps_the_store_away_loses_nothing() -> None:
    store = FakeStore()
    mine = taken(store)
    keeper = LeaseKeeper(mine)
    store.away, store.now = True, 300
    assert not mine.renew()
    assert keeper.why_lost(disturbed=True) == ""
    assert "no fault of ours" in keeper.why_lost(disturbed=False)
    store.away = False
    assert keeper.why_lost(disturbed=False) == "", "it is renewed at once where that is possible"
    assert mine.unrenewed == timedelta()


@pytest.mark.parametrize("disturbed", [True, False])
def test_who_took_it_over_is_named_whatever_we_did(disturbed: bool) -> None:
    store = FakeStore()
    mine = taken(store)
    store.now = 300
    taken(store, OTHER)
    mine.renew()
    assert OTHER in LeaseKeeper(mine).why_lost(disturbed=disturbed)


def test_one_that_somebody_removed_is_lost() -> None:
    store = FakeStore()
    mine = taken(store)
    store.versions_of.clear()
    assert not mine.renew()
    assert mine.lost == f"somebody removed {KEY}"


def test_one_that_changes_hands_while_it_is_renewed_is_not_ours_and_the_next_look_says_whose(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    mine = taken(store)
    monkeypatch.setattr(store, "write_over", lambda *_: Answer(error=REFUSED))
    assert not mine.renew()
    assert mine.lost == ""
    assert Holder.from_json(store.versions_of[KEY][-1].content).renewed == 0


def test_the_lease_of_a_run_that_died_is_dropped_and_nobody_elses() -> None:
    store = FakeStore()
    taken(store)
    drop_lease(store, OTHER)  # type: ignore[arg-type]
    assert whose(store) == MINE
    drop_lease(store, MINE)  # type: ignore[arg-type]
    assert store.versions_of == {}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", json.dumps({"run": MINE}).encode()])
def test_what_is_no_lease_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no lease|Expecting"):
        Holder.from_json(content)


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (-0.5, False), (30 * 86400, True), (30 * 86400 + 1, False)])
def test_how_long_a_lease_may_be_good_for(seconds: float, good: bool) -> None:
    content = json.dumps(json.loads(Holder.me(MINE).as_json()) | {"seconds": seconds}).encode()
    if good:
        assert Holder.from_json(content).seconds == seconds
    else:
        with pytest.raises(Unreadable, match="no lease: good for"):
            Holder.from_json(content)
