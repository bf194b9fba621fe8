"""Everything that is made from a record, in order: at the end of a run, and again by `python -m reports rejudge`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reports import metrics, summary
from reports.pages import front, scenarios
from reports.recorded import RecordedRun


@dataclass(frozen=True)
class Output:
    """A file of the run's folder that is made from the record alone.

    Attributes:
        name: Of the file.
        make: Writes it into the run's folder.
    """

    name: str
    make: Callable[[RecordedRun], object]


OUTPUTS: tuple[Output, ...] = (
    Output(summary.FILE, summary.write),
    Output(metrics.FILE, metrics.write),
    Output(scenarios.FILE, scenarios.write),
    Output(front.FILE, front.write),
)


def make_all(run: RecordedRun) -> Iterator[str]:
    """Make them all; one that cannot be made costs no verdict and no other.

    Yields:
        What could not be made, and why.
    """
    for output in OUTPUTS:
        try:
            output.make(run)
        except OSError as error:
            yield f"{run.folder / output.name} could not be written: {error.strerror or error}"
        except Exception as error:  # noqa: BLE001 - a page never changes a verdict
            yield f"{output.name} could not be made: {type(error).__name__}: {error}"
