"""What a planted defect is: what is wrong with a lab, which checks must say so, and which must not mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from model.lab import Lab
from provisioning.embedded.driver import Alteration, as_in_reference
from provisioning.images import RECIPE, Recipe
from provisioning.toolchain import Program

NEIGHBOURS = 3
"""So many checks at least must not mind."""


@dataclass(frozen=True)
class Symptom:
    """How a defect shows.

    Attributes:
        check: The check that must fail.
        scenario: Title of the scenario that finds it.
        words: What its explanation must contain: machine, expected, observed.
    """

    check: str
    scenario: str
    words: tuple[str, ...]


def leave_alone(_lab: Lab) -> None:
    """Do nothing after boot."""


@dataclass(frozen=True)
class Defect:
    """A lab that breaks a promise.

    Attributes:
        name: What is wrong.
        topology: Of the lab.
        symptoms: What must be found, and how it must be explained.
        healthy: Checks that must still pass, three or more.
        alter: Deviation from the reference configuration.
        after_boot: What is done to the lab before anybody looks at it.
        selection: Marker expression for the scenarios that are run.
        options: More options for the run, as `--seed`, where something is chosen by chance.
        runners: Size of the fleet.
        programs: What its machines run beside what every lab is made of.
        image: What its machines start from.
        sampled: Whether `make test` plants it, too; `make prove` plants all.
    """

    name: str
    topology: str
    symptoms: tuple[Symptom, ...]
    healthy: tuple[str, ...]
    alter: Alteration = as_in_reference
    after_boot: Callable[[Lab], None] = leave_alone
    selection: str = "not disruptive"
    options: tuple[str, ...] = ()
    runners: int = 3
    programs: tuple[Program, ...] = ()
    image: Recipe = RECIPE
    sampled: bool = False

    @property
    def expected(self) -> tuple[str, ...]:
        """The checks that must fail."""
        return tuple(dict.fromkeys(symptom.check for symptom in self.symptoms))

    @property
    def checks(self) -> tuple[str, ...]:
        """Everything that is looked at."""
        return tuple(dict.fromkeys([*self.expected, *self.healthy]))
