"""What a planted defect is: what is wrong with a lab, which checks must say so, and which must not mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from model.lab import Lab
from model.topology import MachineSpec, Role
from provisioning.embedded.driver import Alteration, as_in_reference
from provisioning.roles import Applied

Change = Callable[[Applied], Applied]


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
        healthy: Checks that must still pass.
        alter: Deviation from the reference configuration.
        after_boot: What is done to the lab before anybody looks at it.
        selection: Marker expression for the scenarios that are run.
    """

    name: str
    topology: str
    symptoms: tuple[Symptom, ...]
    healthy: tuple[str, ...]
    alter: Alteration = as_in_reference
    after_boot: Callable[[Lab], None] = leave_alone
    selection: str = "not disruptive"

    @property
    def checks(self) -> tuple[str, ...]:
        """Everything that is looked at."""
        return tuple(dict.fromkeys([*(symptom.check for symptom in self.symptoms), *self.healthy]))


def only(name: str, change: Change) -> Alteration:
    """Deviate on one machine."""

    def alter(machine: MachineSpec, applied: Applied) -> Applied:
        return change(applied) if machine.name == name else applied

    return alter


def every(role: Role, change: Change) -> Alteration:
    """Deviate on all machines of a role: the same mistake in the place that all of them are made from."""

    def alter(machine: MachineSpec, applied: Applied) -> Applied:
        return change(applied) if machine.role is role else applied

    return alter


def edited(path: str, old: str, new: str) -> Change:
    """Another text in one file."""
    return lambda applied: applied.with_edit(path, old, new)
