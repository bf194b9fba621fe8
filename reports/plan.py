"""`pytest features/ --plan`: what would run, what it proves, how long it takes, what it disrupts. Runs nothing."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from model.run import RUN, SCENARIO, Run, newest_durations
from model.scenario import Scenario
from reports import record

UNKNOWN_SECONDS = 15.0
"""Assumed for a scenario that no recorded run has timed."""


def _planning(config: pytest.Config) -> bool:
    return bool(config.getoption("plan", default=False)) and RUN in config.stash


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Tell the plan instead of running it."""
    if not _planning(session.config):
        return None
    run = session.config.stash[RUN]
    scenarios = [item.stash[SCENARIO] for item in session.items if SCENARIO in item.stash]
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        seconds = newest_durations(list(record.newest_first(run.folder.parent)))
        told = render(run, scenarios, seconds, width=reporter._tw.fullwidth, colour=reporter.hasmarkup)  # noqa: SLF001
        reporter.ensure_newline()
        for line in told.splitlines():
            reporter.write_line(line)
    return True


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """A plan is no failure, even when nothing would run."""
    value = yield
    if _planning(session.config) and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.OK
    return value


def render(run: Run, scenarios: Sequence[Scenario], known: dict[str, float], *, width: int, colour: bool) -> str:
    """Render the plan.

    Args:
        run: With its setting.
        scenarios: What would run.
        known: Seconds by node id, from earlier runs.
        width: Columns of the terminal.
        colour: Whether it can show colours.

    Returns:
        Lines of text.
    """
    console = Console(width=width, force_terminal=colour, no_color=not colour, highlight=False)
    table = Table(title=f"would run on {run.setting.topology}, lab {run.setting.driver}, tier {run.setting.tier}", title_justify="left")
    table.add_column("scenario", ratio=3)
    table.add_column("proves", ratio=1)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("disrupts", ratio=2)
    for scenario in scenarios:
        seconds = f"{known[scenario.nodeid]:.0f}" if scenario.nodeid in known else f"~{UNKNOWN_SECONDS:.0f}"
        table.add_row(
            Text(scenario.title, style="red" if scenario.defects else ""),
            ", ".join(scenario.checks),
            seconds,
            Text(_disruption(run, scenario)),
        )
    total = sum(known.get(scenario.nodeid, UNKNOWN_SECONDS) for scenario in scenarios)
    guessed = sum(scenario.nodeid not in known for scenario in scenarios)
    with console.capture() as captured:
        console.print(table)
        for defect in (defect for scenario in scenarios for defect in scenario.defects):
            console.print(Text(f"cannot run: {defect}", style="bold red"), soft_wrap=True)
        disruptive = sum(scenario.disruptive for scenario in scenarios)
        console.print(f"{len(scenarios)} scenarios, about {total:.0f} s, {disruptive} disruptive; gate {run.setting.gate.value}.")
        if guessed:
            console.print(f"~ marks {guessed} scenarios that no recorded run has timed; {UNKNOWN_SECONDS:.0f} s are assumed for each.")
        console.print("Nothing was run.")
    return captured.get().rstrip("\n")


def _disruption(run: Run, scenario: Scenario) -> str:
    if not scenario.disruptive:
        return "nothing"
    parts = ", ".join(sorted(scenario.disrupts))
    if not run.setting.permits(scenario):
        return f"{parts}: not permitted on this lab, would not run"
    actions = [sentence.text for sentence in scenario.sentences if sentence.kind == "when"]
    return f"{parts}: {'; '.join(actions)}"
