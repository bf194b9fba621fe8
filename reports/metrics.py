"""`metrics.txt`: verdicts and numbers in the format OpenMetrics, for pipelines and monitoring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from model.measurements import Measurement
from model.verdicts import Verdict
from reports.recorded import RecordedRun

FILE = "metrics.txt"
SECONDS = "s"


def write(run: RecordedRun) -> None:
    """Write it into the run's folder."""
    (run.folder / FILE).write_text(render(run), encoding="utf-8")


def render(run: RecordedRun) -> str:
    """The text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(run))
    return str(generate_latest(registry).decode())  # type: ignore[no-untyped-call]


class _Numbers(Collector):
    def __init__(self, run: RecordedRun) -> None:
        self._run = run

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Everything that is a number."""
        run = self._run
        checks = GaugeMetricFamily("acceptance_checks", "Applicable checks by verdict", labels=["verdict"])
        for verdict in Verdict:
            checks.add_metric([verdict.value], sum(check.verdict is verdict for check in run.checks))
        yield checks
        each = GaugeMetricFamily("acceptance_check", "1 for the verdict of each applicable check", labels=["check", "verdict"])
        for check in run.checks:
            each.add_metric([check.id, check.verdict.value], 1)
        yield each
        for name, about, value in (
            ("acceptance_exit_code", "Exit code of the run", run.exit_code),
            ("acceptance_gate_met", "1 when all that the gate asks for was run", int(run.gate_met)),
            ("acceptance_dirty", "Number of things that could not be healed or removed", len(run.dirty)),
        ):
            yield GaugeMetricFamily(name, about, value)
        spent = GaugeMetricFamily("acceptance_spent_seconds", "What the run's time was spent on", labels=["on"], unit="seconds")
        for name, seconds in (
            ("set-up", run.spent.set_up),
            ("scenarios", run.spent.scenarios),
            ("waiting", run.spent.waiting),
            ("teardown", run.spent.teardown),
            ("in all", run.spent.in_all),
        ):
            spent.add_metric([name], seconds)
        yield spent
        yield from _measured([entry for scenario in run.scenarios for entry in scenario.measurements])


def _measured(entries: Iterable[Measurement]) -> Iterator[GaugeMetricFamily]:
    labels = ["what", "check", "scenario", "about"]
    seconds = GaugeMetricFamily("acceptance_measured_seconds", "Times that were observed", labels=labels, unit="seconds")
    other = GaugeMetricFamily("acceptance_measured", "Other numbers that were observed", labels=[*labels, "unit"])
    limits = GaugeMetricFamily("acceptance_limit", "What is promised of a number", labels=[*labels, "unit", "kind"])
    for entry in _one_each(entries):
        place = [entry.name, ",".join(entry.checks), entry.scenario, ", ".join(entry.labels.values())]
        if entry.unit == SECONDS:
            seconds.add_metric(place, entry.value)
        else:
            other.add_metric([*place, entry.unit], entry.value)
        if entry.limit is not None:
            limits.add_metric([*place, entry.unit, entry.limit.kind], entry.limit.bound)
    yield from (seconds, other, limits)


def _one_each(entries: Iterable[Measurement]) -> Iterator[Measurement]:
    """A series has one number: of those that were measured several times, the one nearest to its limit or beyond it, else the last."""
    chosen: dict[tuple[object, ...], Measurement] = {}
    for entry in entries:
        key = (entry.name, entry.scenario, entry.unit, tuple(entry.labels.values()))
        known = chosen.get(key)
        if known is None or known.limit is None or entry.limit is None:
            chosen[key] = entry
        else:
            worst = max if entry.limit.kind == "at most" else min
            chosen[key] = worst(known, entry, key=lambda each: each.value)
    yield from chosen.values()
