"""A machine that exists only in a test, and a network that shows what it does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from faults import fault
from model import waiting
from model.errors import ControlChannelLost
from model.lab import COMMAND_DEADLINE, Ability, CommandResult
from model.topology import Address, MachineSpec, Role
from probes.outcomes import Reached, SshOutcome
from tests.unit.stand_in import StandIn


class FakeMachine(StandIn):
    """Keeps a journal of what is done to it; what it does not obey is in `deaf_to`, what its commands print in `says`."""

    def __init__(self, name: str = "runner01", address: str = "10.1.0.103") -> None:
        """On, serving, and obedient."""
        super().__init__(MachineSpec(name, address, Role.RUNNER))
        self.abilities = frozenset(Ability)
        self.journal: list[str] = []
        self.on = True
        self.boot, self.pid, self.sshd = 1, 100, True
        self.deaf_to: set[str] = set()
        self.fails: dict[str, CommandResult] = {}

    def is_on(self) -> bool:
        return self.on

    def _obeys(self, what: str) -> bool:
        self.journal.append(what)
        return what not in self.deaf_to

    def cut_power(self) -> None:
        self.on = not self._obeys("cut power") and self.on

    def shut_down(self) -> None:
        self.on = not self._obeys("shut down") and self.on

    def power_on(self) -> None:
        assert not self.on, "a machine that is on must not be powered on"
        if self._obeys("power on"):
            self.on, self.boot, self.pid, self.sshd = True, self.boot + 1, self.pid + 1, True

    def reboot(self) -> None:
        if self._obeys("reboot"):
            self.boot, self.pid = self.boot + 1, self.pid + 1

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        if not self.on:
            msg = f"{self.name} is off"
            raise ControlChannelLost(msg)
        for part, result in self.fails.items():
            if part in command:
                return result
        stdout = ""
        if "boot_id" in command:
            stdout = f"boot-{self.boot}\n"
        elif command.startswith("ps "):
            rows = f"{self.pid} Ss minio.service 1\n" * (self.pid > 0) + "38 Ss ssh.service 1\n" * self.sshd
            stdout = f"{rows}{self._main_pid(command)}\n99\n"
        elif "MainPID" in command:
            stdout = f"{self._main_pid(command)}\n"
        elif command.startswith("ss "):
            stdout = ""
        elif self._obeys(command):
            self._do(command)
        return CommandResult(command, 0, stdout, "")

    def _do(self, command: str) -> None:
        if "stop ssh" in command or "start ssh" in command:
            self.sshd = "start ssh" in command
        elif "restart" in command or "kill" in command:
            self.pid += 1
        elif "systemctl start" in command and not self.pid:
            self.pid = 200

    def _main_pid(self, command: str) -> int:
        return self.pid if "ssh" not in command else 38 if self.sshd else 0

    def seen_from_outside(self) -> Reached:
        if not self.on:
            return Reached.SILENT
        return Reached.ANSWERED if self.sshd else Reached.REFUSED


class World:
    """Machines by address, and a clock that moves only when somebody waits."""

    def __init__(self) -> None:
        """Begin empty, at second 0."""
        self.machines: dict[str, FakeMachine] = {}
        self.seconds = 0.0

    def machine(self, name: str = "runner01", address: str = "10.1.0.103") -> FakeMachine:
        self.machines[address] = FakeMachine(name, address)
        return self.machines[address]

    def knock(self, address: Address, within: timedelta) -> SshOutcome:
        assert address.port == 22
        return SshOutcome(self.machines[address.host].seen_from_outside())

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Knocks reach machines of the test; waiting takes no time."""
    made = World()
    monkeypatch.setattr(fault, "knock", made.knock)
    assert waiting.wait_until.__kwdefaults__ is not None
    monkeypatch.setitem(waiting.wait_until.__kwdefaults__, "clock", waiting.Clock(lambda: made.seconds, made.pause))
    return made


@pytest.fixture
def machine(world: World) -> FakeMachine:
    """A runner that serves."""
    return world.machine()
