"""A history knows what was opened after a moment, what was in flight, and where nothing succeeded."""

from __future__ import annotations

import json
import math
import threading
from datetime import UTC, datetime, timedelta

import pytest

from model.history import History, Operation, Operations, Outcome

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
FAULT = 10.0


def done(started: float, ended: float, outcome: Outcome = OK, who: str = "runner01", **labels: str) -> Operation:
    return Operation("connection", started, ended, outcome, who, labels=labels)


BEFORE, ACROSS, STUCK, AFTER = done(8, 9), done(9.9, 10.1, FAILED), Operation("connection", 9.5), done(10, 11, who="runner02")
HISTORY = Operations([AFTER, STUCK, BEFORE, ACROSS])


def test_operations_stand_in_the_order_in_which_they_started() -> None:
    assert tuple(HISTORY) == (BEFORE, STUCK, ACROSS, AFTER)


def test_opened_after_a_fault_counts_from_the_moment_that_inject_returned() -> None:
    assert tuple(HISTORY.opened_after(FAULT)) == (AFTER,)
    assert tuple(HISTORY.opened_before(FAULT)) == (BEFORE, STUCK, ACROSS)


def test_begun_before_and_unfinished_then_is_in_flight() -> None:
    assert tuple(HISTORY.in_flight_at(FAULT)) == (STUCK, ACROSS)


def test_the_three_kinds_add_up_to_all() -> None:
    parts = (*HISTORY.ended_before(FAULT), *HISTORY.in_flight_at(FAULT), *HISTORY.opened_after(FAULT))
    assert Operations(parts) == HISTORY


def test_queries_can_be_combined() -> None:
    assert HISTORY.opened_before(FAULT).failed == (ACROSS,)
    assert HISTORY.unknown == (STUCK,)
    assert HISTORY.outcomes == {OK: 2, FAILED: 1, UNKNOWN: 1}
    assert {who: len(each) for who, each in HISTORY.by_who().items()} == {"": 1, "runner01": 2, "runner02": 1}


def test_the_longest_is_a_finished_one() -> None:
    assert HISTORY.longest() in (BEFORE, AFTER)
    assert Operations([STUCK]).longest() is None


def test_labels_select() -> None:
    read = done(1, 2, reached="silent", number="3")
    assert Operations([read, BEFORE]).labelled(reached="silent") == (read,)
    assert Operations([read]).labelled(reached="silent", number="4") == ()


def test_a_gap_lasts_from_one_success_to_the_next() -> None:
    seen = Operations([done(0, 1), done(1, 2, FAILED), done(2, 5), done(5, 5.5)])
    gaps = seen.gaps_without_success(0, 10, timedelta(seconds=2))
    assert [(gap.started, gap.ended) for gap in gaps] == [(1, 5), (5.5, 10)]
    assert gaps[0].seconds == 4


def test_without_any_success_all_of_it_is_one_gap() -> None:
    assert [gap.seconds for gap in Operations([done(1, 2, FAILED)]).gaps_without_success(0, 7)] == [7]


def test_an_operation_precedes_what_began_after_it_had_ended_and_nothing_else() -> None:
    assert BEFORE.precedes(AFTER)
    assert not ACROSS.precedes(AFTER)
    assert not STUCK.precedes(AFTER)
    assert not done(8, AFTER.started).precedes(AFTER), "at the same moment there is no order"


def test_what_is_under_way_is_unknown_until_it_ends() -> None:
    history = History("test")
    begun = history.begin("read", key="a")
    assert history.operations.unknown[0].under_way
    ended = begun.end(OK, who="storage01", labels={"value": "x"})
    assert history.operations == (ended,)
    assert (ended.who, ended.labels) == ("storage01", {"key": "a", "value": "x"})
    assert math.isfinite(ended.seconds)


def test_what_was_given_up_stays_unknown_whatever_comes_later() -> None:
    history = History("test")
    begun = history.begin("read")
    assert history.give_up("stopped") == 1
    assert begun.end(OK).outcome is UNKNOWN
    assert [(each.outcome, each.detail) for each in history] == [(UNKNOWN, "stopped")]


def test_a_look_at_it_does_not_change_while_it_grows() -> None:
    history = History("test")
    seen = history.operations
    history.append(BEFORE)
    assert len(seen) == 0
    assert len(history.operations) == 1


def test_many_threads_may_write() -> None:
    history = History("test")

    def write() -> None:
        for _ in range(200):
            history.begin("x").end(OK)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert history.operations.outcomes == {OK: 1600}


def test_evidence_is_one_json_object_per_line_and_counts_from_the_beginning() -> None:
    history = History("test", iter([100.0]).__next__)
    history.append(Operation("apply", 101.0, 101.5, FAILED, "runner01", 'said "no"\nand more', {"token": "a"}))
    history.append(Operation("apply", 102.0))
    first, second = [json.loads(line) for line in history.as_json_lines().splitlines()]
    assert (first["started"], first["ended"], first["outcome"], first["labels"]) == (1.0, 1.5, "failed", {"token": "a"})
    assert first["detail"] == 'said "no"\nand more'
    assert (second["ended"], second["outcome"]) == (None, "unknown")


@pytest.mark.parametrize("operation", HISTORY)
def test_an_operation_tells_itself_in_one_line(operation: Operation) -> None:
    assert "\n" not in str(operation)
    assert str(operation).startswith(f"connection {operation.outcome} after ")


def test_moments_are_before_only_when_they_are_earlier() -> None:
    exact = done(1, 2, number="a")
    seen = Operations([exact])
    assert seen.ended_before(2) == ()
    assert seen.in_flight_at(2) == (exact,)
    assert seen.opened_before(1) == ()
    assert seen.opened_after(1) == (exact,)
    assert seen.labelled(number="a") == (exact,)


def test_successes_at_the_ends_make_no_gap_of_their_own() -> None:
    seen = Operations([done(-1, 0), done(1, 3), done(3, 10)])
    assert [(gap.started, gap.ended) for gap in seen.gaps_without_success(0, 10)] == [(0, 3), (3, 10)]
    assert [(gap.started, gap.ended) for gap in seen.gaps_without_success(0, 10, timedelta(seconds=3))] == [(3, 10)]
    assert seen.gaps_without_success(5, 5) == ()


def test_what_an_operation_says_of_itself() -> None:
    assert str(Operation("read", 1.0, 2.5, OK, "storage01", "all of it")) == "read ok after 1.50 s by storage01 all of it"
    assert str(Operation("read", 1.0)) == "read unknown after under way"


def test_a_summary_counts_outcomes_and_who_answered() -> None:
    assert Operations().summary() == "0 operations: none"
    assert Operations([done(0, 1, FAILED, who="")]).summary() == "1 operations: 1 failed"
    assert HISTORY.summary() == "4 operations: 1 failed, 2 ok, 1 unknown; answered by runner01 2, runner02 1"


def test_evidence_tells_the_time_of_day_and_any_script() -> None:
    history = History("test", iter([100.0]).__next__)
    history.append(Operation("read", 160.00014, 161.00006, OK, "zürich"))
    (line,) = history.as_json_lines().splitlines()
    entry = json.loads(line)
    assert 59 < (datetime.fromisoformat(entry["at"]) - datetime.now(UTC)).total_seconds() <= 60.1
    assert (entry["started"], entry["ended"]) == (60.0001, 61.0001)
    assert "zürich" in line
