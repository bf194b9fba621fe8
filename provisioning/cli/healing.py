"""The command `heal`: pays what a run that died owes to a lab, by its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from model.errors import AcceptanceError, BadInput, ControlChannelLost, UnsafeLab
from model.journal import PATTERN, Broke, Debt, Ended, Healed, Journal, is_alive, read_journal, unsettled
from model.lab import Ability, Lab, Machine
from model.remedy import FORGET_TIMERS, SILENT_AT_MOST
from model.waiting import wait_until
from probes.lease import drop_lease
from probes.store import StoreProbe
from provisioning import drivers
from provisioning.cli.telling import FAILED, PROGRAM, complain, note, say
from provisioning.existing.driver import ExistingDriver
from provisioning.existing.preflight import look_over

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "reports/runs"
BY = "heal"
JOBS = "ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -c '/pipeline-[A-Za-z0-9]\\{10\\}' || true"
"""How many processes work in folders that jobs of ours unpack into (`mktemp -d pipeline-XXXXXXXXXX`)."""

GRACE = timedelta(seconds=15)
JOBS_END_WITHIN = timedelta(seconds=90)
"""Longer than a job waits that was told to hold a lock, and that nobody releases any more."""

REMOVED_WITHIN = timedelta(seconds=60)


def heal(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Id of the run, or its folder; the newest that owes something unless given.")
    ] = None,
) -> None:
    """Repair a lab of yours in which a run died: it was killed, or its host lost power.

    The run's journal says what was broken and what undoes it. That is done, newest fault first; timers that the run left on machines
    are stopped, its objects below the prefix are removed, and the lab is looked over. Doing it twice does no harm. Exit status 1
    where something could not be repaired; what was is not done again the next time.

    For example:

      python -m provisioning heal

      python -m provisioning heal 20261125-050249-ozgk
    """
    paths = _journals(run)
    if not paths:
        say(f"no run in {RUNS} owes anything to a lab")
        return
    healed = [_heal(path) for path in paths]
    if not all(healed):
        raise typer.Exit(FAILED)


def _journals(run: str | None) -> list[Path]:
    """Journals of a run, one per process of it."""
    if run is None:
        newest = next(unsettled(RUNS), None)
        return [] if newest is None else sorted(newest.path.parent.glob(PATTERN))
    folder = Path(run) if "/" in run else RUNS / run
    if not folder.is_dir():
        raise BadInput(f"there is no run {run}: {folder} is no folder")
    paths = sorted(folder.glob(PATTERN))
    if not paths:
        msg = f"run {folder.name} has no journal, as it worked in no lab of yours; of labs that were made here: {PROGRAM} sweep"
        raise BadInput(msg)
    return paths


def _heal(path: Path) -> bool:
    if is_alive(path):
        raise UnsafeLab(f"run {path.parent.name} is alive; end it (Ctrl-C heals), instead of repairing what it works on")
    debt = read_journal(path)
    if debt.ended:
        say(f"run {path.parent.name} owes nothing")
        return True
    journal = Journal(path)
    try:
        return _pay(debt, journal)
    finally:
        journal.close()


def _pay(debt: Debt, journal: Journal) -> bool:
    if debt.began is None:
        journal.write(Ended(BY))  # it died before it had done anything
        return True
    file = Path(debt.began.lab_file)
    if not file.is_file():
        raise BadInput(f"to repair what run {debt.began.run} left, its lab file {file} is needed, which is not there any more; put it back")
    note(f"run {debt.began.run} in lab {debt.began.lab} ({file}) …")
    driver = drivers.existing(file)
    driver.remember_network()
    lab = driver.connect(driver.file.plan())
    try:
        driver.enter(lab)
        done = [_undo(lab, broke, journal) for broke in reversed(debt.broken.values())]
        done += [_try(what, deed) for what, deed in _tidying(lab, debt.began.own)]
        done += [_try(what, deed) for what, deed in _leaving(driver, lab, debt.began.run)]
        bad = [finding for finding in look_over(lab) if not finding.ok]
    finally:
        driver.remove(lab)
    for finding in bad:
        complain(f"{finding.name}: {finding.found}; {finding.remedy}")
    if paid := all(done):
        journal.write(Ended(BY))
    say(f"run {debt.began.run} owes nothing any more" if paid else f"something is left to repair; then: {PROGRAM} heal {debt.began.run}")
    return paid and not bad


def _undo(lab: Lab, broke: Broke, journal: Journal) -> bool:
    def work() -> None:
        for remedy in broke.remedies:
            if remedy.machine not in lab.machines:
                msg = f"the lab file has no machine {remedy.machine} any more"
                raise BadInput(msg)
            if remedy.script:
                _let_in(lab.machines[remedy.machine])
            remedy.apply(lab.machines[remedy.machine])

    done = _try(f"undo: {broke.what}", work)
    if done:
        journal.write(Healed(broke.fault, BY))
    return done


def _let_in(machine: Machine) -> None:
    """Find a way in: a fault may have cut it, until the machine's timer undoes that, or its power is switched off and on.

    Raises:
        ControlChannelLost: There is none.
    """
    try:
        _must(machine, "true")
    except ControlChannelLost:
        note(f"    no way into {machine.name}; its timer should open it within {SILENT_AT_MOST.total_seconds():g} s")
    else:
        return
    try:
        wait_until(
            lambda: _way_in(machine),
            bool,
            what=f"{machine.name} lets us in",
            within=SILENT_AT_MOST + GRACE,
            every=timedelta(seconds=2),
            error=ControlChannelLost,
        )
    except ControlChannelLost:
        if not machine.can(Ability.CUT_POWER):
            raise
        note(f"    no way into {machine.name}; its power is switched off and on")
        machine.cut_power()
        machine.power_on()


def _way_in(machine: Machine) -> bool:
    try:
        _must(machine, "true")
    except ControlChannelLost:
        return False
    return True


def _tidying(lab: Lab, own: str) -> Iterator[tuple[str, Callable[[], object]]]:
    for machine in lab.machines.values():
        if machine.can(Ability.CONTROL):
            yield f"stop timers of ours on {machine.name}", lambda machine=machine: _must(machine, FORGET_TIMERS)  # type: ignore[misc]
    for runner in lab.runners:
        yield f"wait until no job of ours runs on {runner.name}", lambda runner=runner: _await_jobs(runner)  # type: ignore[misc]
    yield f"remove the objects below {own}", lambda: _empty(lab, own)


def _leaving(driver: ExistingDriver, lab: Lab, run: str) -> Iterator[tuple[str, Callable[[], object]]]:
    def give_up() -> None:
        store = StoreProbe(lab.store)
        try:
            if wrong := drop_lease(store, run):
                raise ControlChannelLost(wrong)
        finally:
            store.close()

    def after() -> None:
        if wrong := driver.around_disruption().make_up():
            raise ControlChannelLost(wrong)

    yield "give its lease up", give_up
    if driver.file.around_disruption.after is not None:
        yield "run around_disruption.after of the lab file", after


def _must(machine: Machine, line: str) -> str:
    done = machine.run(line)
    if not done.ok:
        raise ControlChannelLost(f"`{line}` on {machine.name} failed with {done.exit_status}: {done.text}")
    return done.stdout.strip()


def _await_jobs(runner: Machine) -> None:
    wait_until(
        lambda: _must(runner, JOBS),
        lambda count: count == "0",
        what=f"no job runs on {runner.name}",
        within=JOBS_END_WITHIN,
        every=timedelta(seconds=1),
        error=ControlChannelLost,
    )


def _empty(lab: Lab, own: str) -> None:
    store = StoreProbe(lab.store)
    try:
        wait_until(
            lambda: store.remove_all(own),
            lambda removed: removed.ok or removed.missing,
            what=f"the objects below {own} are removed",
            within=REMOVED_WITHIN,
            every=timedelta(seconds=1),
            error=AcceptanceError,
        )
    finally:
        store.close()


def _try(what: str, deed: Callable[[], object]) -> bool:
    note(f"  {what}")
    try:
        deed()
    except AcceptanceError as error:
        complain(f"could not {what}: {error}")
        return False
    return True
