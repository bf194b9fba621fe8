"""What every fault of a service has: a unit, its processes, and what serves at its ports from outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from faults.fault import EFFECT_WITHIN, GONE_WITHIN, Fault
from faults.peer import Greeting, greet
from faults.units import NO_PROCESS, STOPPED, listening_ports, main_pid, process_states
from model.errors import FaultHadNoEffect
from model.lab import Ability, Machine
from model.remedy import Remedy
from model.waiting import wait_until

ANOTHER_WITHIN = timedelta(seconds=15)


class ServiceFault(Fault):
    """A fault of one unit; what serves at its ports from outside is seen before, while it lasts, and after it.

    Attributes:
        unit: The unit.
        before: Its main process before the fault; `0` for none, and until somebody looked.
        ports: Where it answered before the fault.
    """

    ability = Ability.CONTROL

    def __init__(self, machine: Machine, unit: str) -> None:
        """Choose machine and unit."""
        super().__init__(machine)
        self.unit, self.before = unit, NO_PROCESS
        self.ports: tuple[int, ...] = ()

    def __repr__(self) -> str:
        """What is done to which unit of whom."""
        return f"<{type(self).__name__} {self.unit} {self.machine.name}>"

    def __str__(self) -> str:
        """The same in a reader's words."""
        return f"{self.unit} {self.title} on {self.machine.name}"

    def look_before(self) -> None:
        """Remember the main process and where it answers.

        Raises:
            FaultHadNoEffect: It does not run (and `kill 0` would end the shell that says so).
        """
        self.before = main_pid(self.machine, self.unit)
        if self.before == NO_PROCESS:
            msg = f"{self.unit} on {self.machine.name} has no process, so it cannot be {self.title}"
            raise FaultHadNoEffect(msg)
        self.ports = tuple(port for port in listening_ports(self.machine, self.unit) if self.greet(port).answered)

    def greet(self, port: int) -> Greeting:
        """What a peer gets at one of the machine's ports."""
        return greet(self.machine.at(port))

    def expect_process(self, wanted: Callable[[str], bool], what: str) -> None:
        """Raise `FaultHadNoEffect` unless the main process soon is as wanted."""
        wait_until(
            lambda: main_pid(self.machine, self.unit),
            wanted,
            what=f"{self.unit} on {self.machine.name} {what}",
            within=ANOTHER_WITHIN,
            error=FaultHadNoEffect,
        )

    def expect_at_ports(self, wanted: Callable[[Greeting], bool], what: str) -> None:
        """Raise `FaultHadNoEffect` unless every port that answered before soon does as wanted."""
        for port in self.ports:
            wait_until(
                lambda port=port: self.greet(port),  # type: ignore[misc]
                wanted,
                what=f"port {port} of {self.machine.name} {what} after {self.unit} was {self.title}",
                within=EFFECT_WITHIN,
                error=FaultHadNoEffect,
            )

    def remedies(self) -> tuple[Remedy, ...]:
        """Let it run, where it ran before."""
        return () if self.before == NO_PROCESS else (Remedy(self.machine.name, self.repair()),)

    def repair(self) -> str:
        """Shell text that starts the unit, also one that systemd had given up."""
        return f"systemctl reset-failed {self.unit}; systemctl start {self.unit}"

    def prove_recovery(self) -> None:
        """See that its processes run, and from outside that every port that answered before answers again.

        Raises:
            DeadlineMissed: Not within 30 s.
        """
        wait_until(
            lambda: process_states(self.machine, self.unit),
            lambda seen: bool(seen) and STOPPED not in seen.values(),
            what=f"{self.unit} on {self.machine.name} runs again",
            within=GONE_WITHIN,
        )
        for port in self.ports:
            wait_until(
                lambda port=port: self.greet(port),  # type: ignore[misc]
                lambda seen: seen.answered,
                what=f"port {port} of {self.machine.name} answers again",
                within=GONE_WITHIN,
            )
