"""Judges a recorded run again: aggregation, thresholds and everything that is made from the record, without a lab."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from model.conclusion import conclude
from model.errors import BadInput
from model.measurements import Limit
from model.run import Result
from model.verdicts import Gate, Verdict
from reports import record
from reports.messages import reading
from reports.pruning import Claim
from reports.recorded import RecordedRun


def rejudge(folder: Path, limits: Mapping[str, float] | None = None, gate: Gate | None = None) -> RecordedRun:
    """Judge again and write `run.json`.

    A verdict can only get worse by this: what the better one would rest on was not observed.

    Args:
        folder: Of the run.
        limits: Other thresholds, by the name of the measurement.
        gate: Another gate.

    Returns:
        The run as it is judged now; `stopped` tells what of the record cannot be read.

    Raises:
        BadInput: There is no record, or too little of it, or the run is still going on.
        OSError: The conclusion cannot be written.
    """
    found = reading.read(folder)
    with _claimed(folder), tempfile.TemporaryDirectory(prefix="acceptance-") as root:
        run = reading.rebuild(found, Path(root))
        if gate is not None:
            run.setting = replace(run.setting, gate=gate)
        for result in run.results.values():
            apply_limits(result, limits or {})
        conclude(run, pytest_code=run.pytest_code, foreign_failures=run.foreign_failures)
        return record.write(run)


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    try:
        claim = Claim(folder)
    except BlockingIOError:
        raise BadInput(f"{folder} is being written: the run goes on; judge it again when it has ended") from None
    try:
        yield
    finally:
        claim.release()


def apply_limits(result: Result, limits: Mapping[str, float]) -> None:
    """Measure a result's numbers against their thresholds.

    Args:
        result: Changed in place.
        limits: Thresholds that replace those of the sentences, by the name of the measurement.
    """
    result.measurements = [
        replace(entry, limit=Limit(limits[entry.name], entry.limit.kind if entry.limit else "at most")) if entry.name in limits else entry
        for entry in result.measurements
    ]
    missed = [entry for entry in result.measurements if entry.limit is not None and not entry.limit.holds(entry.value)]
    if missed and result.verdict is Verdict.PASSED:
        result.verdict, result.sentence = Verdict.FAILED, "judged again"
        result.reason = "; ".join(entry.sentence() for entry in missed)
