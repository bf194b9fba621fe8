"""What of the suite can run in a lab: which machines a scenario concerns, and what stands in its way."""

from __future__ import annotations

from model.lab import Ability, Lab, Machine
from model.run import Setting
from model.scenario import Scenario

PERMIT = " (it takes --allow-disruption, and permissions.disruption in the lab's file)"


def concerned(lab: Lab, scenario: Scenario) -> list[Machine]:
    """Machines that must be able to do what a scenario needs: those that it breaks, else all."""
    broken = [machine for machine in lab.machines.values() if scenario.disrupts & {role.value for role in machine.spec.roles}]
    return broken or list(lab.machines.values())


def forbidden(setting: Setting, scenario: Scenario) -> str:
    """Why a scenario must not run; empty where it may."""
    wanting = sorted(scenario.disrupts - set(setting.permitted))
    return f"disruption of {', '.join(wanting)} is not permitted on this lab{PERMIT}" if wanting else ""


def lacking(lab: Lab, scenario: Scenario) -> str:
    """Which ability of which machines a scenario would miss; empty where it misses none."""
    machines = concerned(lab, scenario)
    for need in sorted(scenario.needs):
        without = [machine.name for machine in machines if not machine.can(Ability[need])]
        if without:
            return f"nobody can {Ability[need].value}: {', '.join(without)}"
    return ""
