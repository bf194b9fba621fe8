"""What to change in the guide's configuration, by what was observed; the changes themselves are the reference configuration's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.as_written.record import Run, Scenario

REFERENCE = "reference-configuration.md"


@dataclass(frozen=True)
class Change:
    """One change, and what shows that it is needed.

    Attributes:
        title: In a few words.
        text: What to write, in Markdown.
        anchor: Section of the reference configuration that has it, as GitHub names it.
        reason: What the explanation of a scenario says where it is needed.
        topologies: Where it is possible; all without.
        checks: Checks whose scenarios it is looked for in; all without.
    """

    title: str
    text: str
    anchor: str
    reason: str
    topologies: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    def fits(self, topology: str, scenario: Scenario) -> bool:
        """Whether what a scenario said asks for it."""
        return (
            (not self.topologies or topology in self.topologies)
            and (not self.checks or bool(set(self.checks) & set(scenario.checks)))
            and re.search(self.reason, scenario.reason, re.DOTALL) is not None
        )


CLASH = ("as-written", "as-written-haproxy-first")

CHANGES: tuple[Change, ...] = ()


def changes_for(run: Run, scenarios: Iterable[Scenario]) -> tuple[Change, ...]:
    """Changes that the explanations of these scenarios ask for, each once."""
    return tuple(change for change in CHANGES if any(change.fits(run.topology, each) for each in scenarios))
