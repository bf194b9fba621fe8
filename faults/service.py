"""Faults of a service on a machine."""

from __future__ import annotations

from datetime import timedelta

from faults.fault import Fault
from model.errors import ControlChannelLost, FaultHadNoEffect
from model.lab import Ability, CommandResult, Machine
from model.waiting import wait_until
from probes.outcomes import Reached

STOP_WITHIN = timedelta(seconds=60)
ANOTHER_WITHIN = timedelta(seconds=15)
NO_PROCESS = "0"
"""`MainPID` of a unit that does not run (org.freedesktop.systemd1(5))."""


def main_pid(machine: Machine, unit: str) -> str:
    """Process id of a unit's main process; `0` when it has none.

    Raises:
        ControlChannelLost: The machine did not say.
    """
    return answer(machine, f"systemctl show --property=MainPID --value {unit}")


class SshStopped(Fault):
    """The SSH service is stopped, its open sessions are ended, and it stays stopped: connections are refused."""

    ability = Ability.CONTROL
    title = "SSH stopped"

    def inject(self) -> None:
        """Stop the service."""
        command(self.machine, "systemctl stop ssh.socket ssh.service 2>/dev/null; pkill -KILL -x sshd; true")

    def prove_effect(self) -> None:
        """The port refuses."""
        self.expect(Reached.REFUSED)

    def heal(self) -> None:
        """Start the service."""
        if self.machine.is_on():
            command(self.machine, "systemctl start ssh.service")


class ServiceRestarted(Fault):
    """A unit is restarted; it heals itself. Its effect is another main process."""

    ability = Ability.CONTROL
    title = "restarted"

    def __init__(self, machine: Machine, unit: str) -> None:
        """Choose machine and unit, and remember the main process."""
        super().__init__(machine)
        self.unit = unit
        self.before = main_pid(machine, unit)

    def inject(self) -> None:
        """Restart it.

        Raises:
            FaultHadNoEffect: It does not run, so that this would only start it.
        """
        if self.before == NO_PROCESS:
            msg = f"{self.unit} on {self.machine.name} has no process and cannot be restarted"
            raise FaultHadNoEffect(msg)
        command(self.machine, f"systemctl restart {self.unit}")

    def prove_effect(self) -> None:
        """Its main process is another one."""
        wait_until(
            lambda: main_pid(self.machine, self.unit),
            lambda seen: seen not in {NO_PROCESS, self.before},
            what=f"{self.unit} on {self.machine.name} has another main process than {self.before}",
            within=ANOTHER_WITHIN,
            error=FaultHadNoEffect,
        )

    def heal(self) -> None:
        """Start it, should it not have come back."""
        if self.machine.is_on():
            command(self.machine, f"systemctl reset-failed {self.unit}; systemctl start {self.unit}")


class ProcessKilled(ServiceRestarted):
    """A unit's main process is killed (SIGKILL). Its effect: that process is gone."""

    title = "killed"

    def inject(self) -> None:
        """Kill it.

        Raises:
            FaultHadNoEffect: There is nothing to kill (and `kill 0` would end the shell that says so).
        """
        if self.before == NO_PROCESS:
            msg = f"{self.unit} on {self.machine.name} has no process that could be killed"
            raise FaultHadNoEffect(msg)
        command(self.machine, f"kill -KILL {self.before}")

    def prove_effect(self) -> None:
        """The process that was killed is not the main process any more."""
        wait_until(
            lambda: main_pid(self.machine, self.unit),
            lambda seen: seen != self.before,
            what=f"process {self.before} of {self.unit} on {self.machine.name} is gone",
            within=ANOTHER_WITHIN,
            error=FaultHadNoEffect,
        )


def command(machine: Machine, line: str) -> CommandResult:
    """Run a command that must succeed.

    Raises:
        ControlChannelLost: It did not.
    """
    done = machine.run(line, timeout=STOP_WITHIN)
    if not done.ok:
        msg = f"`{line}` on {machine.name} failed with {done.exit_status}: {done.text}"
        raise ControlChannelLost(msg)
    return done


def answer(machine: Machine, line: str) -> str:
    """What a command prints that must succeed and say something.

    Raises:
        ControlChannelLost: It failed, or said nothing.
    """
    text = command(machine, line).stdout.strip()
    if not text:
        msg = f"`{line}` on {machine.name} said nothing"
        raise ControlChannelLost(msg)
    return text
