"""Sentences about many processes that want the same lock at the same moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from pytest_bdd import given, parsers, then, when

from model.aftermath import Aftermath
from model.lab import Lab
from model.waiting import wait_until
from probes import job_steps as do
from probes.jobs import JobClient
from probes.snapshots import StateSnapshot
from probes.starting_line import StartingLine
from probes.store import LOCK_SUFFIX, StoreProbe
from probes.tofu import JobOutcome, RunningJob, release
from probes.workspace import Workspace, fresh_value, holding

REPORT_WITHIN = timedelta(seconds=90)
POLL = timedelta(milliseconds=100)


@dataclass
class Round:
    """One race.

    Attributes:
        winners: Jobs whose apply came to hold the lock.
        outcomes: Of all jobs, winners included.
        lock_id: Id of the lock while the winner held it.
    """

    winners: list[RunningJob] = field(default_factory=list)
    outcomes: dict[int, JobOutcome] = field(default_factory=dict)
    winner: int = -1
    lock_id: str = ""


@dataclass
class Race:
    """Several races for the same lock.

    Attributes:
        jobs: Runs the processes.
        store: Has the lock.
        aftermath: Where tidying is owed.
        key: Of the state.
        each: Processes on each runner.
        rounds: What happened.
    """

    jobs: JobClient
    store: StoreProbe
    aftermath: Aftermath
    key: str
    each: int
    rounds: list[Round] = field(default_factory=list)


@given(parsers.parse("{count:d} processes on each runner, ready to apply to the same state"), target_fixture="race")
def prepare(jobs: JobClient, store: StoreProbe, aftermath: Aftermath, key: str, count: int) -> Race:
    return Race(jobs, store, aftermath, key, count)


@when(parsers.parse("all of them start at the same moment, {rounds:d} times"))
def run_races(race: Race, rounds: int, dice: Random, measure: Callable[..., object]) -> None:
    for number in range(rounds):
        began = datetime.now(UTC)
        race.rounds.append(_run_round(race, dice))
        spread = _spread(race.jobs.lab, race.key, began)
        if spread is not None:
            measure("lock requests reached the store within", spread * 1000, "ms", round=f"round {number + 1}")


def _run_round(race: Race, dice: Random) -> Round:
    jobs, lab = race.jobs, race.jobs.lab
    line, played = StartingLine(), Round()
    runners = [runner for runner in lab.runners for _ in range(race.each)]
    dice.shuffle(runners)
    workspaces: list[Workspace] = [holding(race.key, fresh_value()) for _ in runners]
    started = [jobs.start_on(runner, workspace, line.step, do.apply()) for runner, workspace in zip(runners, workspaces, strict=True)]
    race.aftermath.heal(lambda: line.clear(lab.runners))
    line.await_ready(started)
    line.send_off(lab.runners)

    def holders() -> list[int]:
        return [number for number, job in enumerate(started) if job.workspace.holding_marker in job.output_so_far()]

    def waiting() -> list[int]:
        return [number for number, job in enumerate(started) if not job.ended]

    wait_until(
        lambda: (holders(), waiting()),
        lambda seen: bool(seen[0]) and set(seen[1]) <= set(seen[0]),
        what="one process holds the lock and all others have reported",
        within=REPORT_WITHIN * jobs.patience,
        every=POLL,
    )
    played.winners = [started[number] for number in holders()]
    played.winner = holders()[0]
    lock = race.store.lock_object(race.key)
    played.lock_id = lock.value.id if lock.value else ""
    for job in played.winners:
        release(lab, job)
    played.outcomes = {number: jobs.finish(job) for number, job in enumerate(started)}
    line.clear(lab.runners)
    return played


def _spread(lab: Lab, key: str, began: datetime) -> float | None:
    """Seconds between the first and the last lock request of a round, by the balancers' logs; None where they have none."""
    moments: list[datetime] = []
    for balancer in lab.balancers:
        since = began.strftime("%Y-%m-%d %H:%M:%S")
        log = balancer.run(
            f"TZ=UTC journalctl --no-pager --output=cat --unit=haproxy --since='{since}' | grep -F 'PUT ' | grep -F '{key}{LOCK_SUFFIX}'"
        )
        stamps = re.findall(r"\[(\d+/\w+/\d+:\d+:\d+:\d+\.\d+)\]", log.stdout)
        moments += [datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S.%f").replace(tzinfo=UTC) for stamp in stamps]
    inside = [moment for moment in moments if moment >= began - timedelta(seconds=1)]
    return (max(inside) - min(inside)).total_seconds() if len(inside) > 1 else None


@then("each time exactly one of them wins")
def check_one_winner(race: Race) -> None:
    for number, played in enumerate(race.rounds, 1):
        names = [job.runner for job in played.winners]
        assert len(names) == 1, f"expected exactly one process to hold the lock in round {number}; observed {len(names)}, on {names}"
        won = [outcome for outcome in played.outcomes.values() if outcome.ok]
        assert len(won) == 1, f"expected exactly one apply to succeed in round {number}; observed {len(won)}"


@then("all others are told who won")
def check_losers(race: Race) -> None:
    for number, played in enumerate(race.rounds, 1):
        winner = played.outcomes[played.winner].runner
        for index, outcome in played.outcomes.items():
            if index == played.winner:
                continue
            error = outcome.lock_error
            assert error is not None, f"expected a refusal in round {number}; observed:\n{outcome}"
            assert error.held_by_someone, f"expected a refusal with 412 in round {number}; observed:\n{outcome}"
            told = error.info
            assert told is not None, f"expected the loser on {outcome.runner} to be told who won round {number}; observed:\n{outcome}"
            assert told.hostname == winner, (
                f"expected the loser on {outcome.runner} to be told of {winner} in round {number}; observed {told.who}"
            )
            assert told.id == played.lock_id, f"expected lock {played.lock_id} in round {number}; observed {told.id}"


@then("the history of the state has neither a gap nor a fork")
def check_history(store: StoreProbe, race: Race) -> None:
    found = store.state_history(race.key)
    assert found.value is not None, f"expected the history of {race.key}; observed {found.error}"
    states: list[StateSnapshot] = [version.snapshot for version in found.value if version.snapshot is not None]
    serials = list(dict.fromkeys(state.serial for state in states))
    assert serials == list(range(serials[0], serials[0] + len(race.rounds))), (
        f"expected one serial for each of {len(race.rounds)} rounds; observed {serials}"
    )
    assert len({state.lineage for state in states}) == 1, f"expected one lineage; observed {sorted({state.lineage for state in states})}"
    for serial in serials:
        contents = {state.raw for state in states if state.serial == serial}
        assert len(contents) == 1, f"expected one content of serial {serial}; observed {len(contents)}"
