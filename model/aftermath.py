"""What a scenario owes after its last sentence: heal, see the lab recover, check the history, keep evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model.verdicts import Verdict

Duty = Callable[[], object]
Collector = Callable[[Path], object]


class Aftermath:
    """Duties of one scenario. Each kind is done last in, first out; each method returns its argument (decorator).

    Attributes:
        verdict: Fixed before evidence is collected; None until then.
        dirty: What could not be healed: the lab is worse than it was.
    """

    def __init__(self) -> None:
        """Owe nothing."""
        self.heals: list[Duty] = []
        self.recoveries: list[Duty] = []
        self.invariants: list[Duty] = []
        self.collectors: list[Collector] = []
        self.verdict: Verdict | None = None
        self.dirty: list[str] = []

    def heal(self, duty: Duty) -> Duty:
        """Undo a fault. Done whatever happened, Ctrl-C included; an exception makes the lab dirty and changes no verdict."""
        self.heals.append(duty)
        return duty

    def recovery(self, duty: Duty) -> Duty:
        """Assert that the lab recovered once healed.

        An `AssertionError` (`PromiseBroken`) makes the scenario *failed*, any other exception *inconclusive*. Left out
        when healing failed: the lab cannot recover from a fault that is still there.
        """
        self.recoveries.append(duty)
        return duty

    def invariant(self, duty: Duty) -> Duty:
        """Check the history. Violated (`AssertionError`) is *failed*, unreadable (any other exception) is *inconclusive*."""
        self.invariants.append(duty)
        return duty

    def evidence(self, collector: Collector) -> Collector:
        """Write files into the folder that is handed over. Comes after the verdict and never changes it.

        Evidence is kept of passed scenarios too; a costly collector looks at `verdict` first. Secrets are masked by the
        collector (`model.secrets.SECRETS.mask`).
        """
        self.collectors.append(collector)
        return collector
