"""A machine that somebody owns: control over SSH, power and network by the commands of the lab file.

What a peer sees of each deed is what the commands do; each ends when its effect is there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from testinfra.host import Host

from model.errors import AbilityMissing, AcceptanceError, ControlChannelLost, MachineDidNotBoot
from model.lab import COMMAND_DEADLINE, Ability, CommandResult, Machine
from model.topology import Address
from model.waiting import wait_until
from probes.outcomes import Reached
from probes.ssh import knock
from provisioning.existing.channel import SshChannel
from provisioning.existing.hands import Grip
from provisioning.looking import testinfra_host

BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
BOOTS_WITHIN = timedelta(minutes=5)
ENDS_WITHIN = timedelta(minutes=2)
LOOK_WITHIN = timedelta(seconds=10)
GREETS_WITHIN = timedelta(seconds=1)
EVERY = timedelta(milliseconds=500)
NO_QUEUE = "timeout 20 sh -c 'while [ -n \"$(systemctl list-jobs --no-legend)\" ]; do sleep 0.2; done'"


class ExistingMachine(Machine):
    """One machine of an existing lab."""

    def __init__(self, channel: SshChannel, hands: Grip) -> None:
        """Put the parts together; nothing is asked yet."""
        super().__init__(channel.spec)
        self.channel, self.hands = channel, hands
        self._switched_off = False
        self.made_anew: Callable[[str], object] = lambda _name: None
        self.ssh_port = channel.login.port

    @property
    def abilities(self) -> frozenset[Ability]:
        """What root and the file's commands can do: an ability is there when the way back is, too."""
        can = {
            Ability.CONTROL: not self.channel.refused,
            Ability.CUT_POWER: self.hands.has("off", "on", "is_on"),
            Ability.SHUT_DOWN: self.hands.has("on", "is_on"),
            Ability.POWER_ON: self.hands.has("on", "is_on"),
            Ability.REBOOT: not self.channel.refused,
            Ability.SUSPEND: self.hands.has("suspend", "resume"),
            Ability.DISCONNECT: self.hands.has("network_off", "network_on"),
            Ability.REBUILD: self.hands.has("rebuild"),
            Ability.FILL_DRIVE: False,
            Ability.INSPECT: False,
        }
        return frozenset(ability for ability, there in can.items() if there)

    @property
    def host(self) -> Host:
        """Testinfra's view, over the control channel."""
        return testinfra_host(self.name, self.run)

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        """Run a shell command as root, over SSH."""
        return self.channel.run(command, timeout, stdin)

    def at(self, port: int) -> Address:
        """One of its ports; behind a jump host, that carries the connection."""
        return Address(self.address, port, self.channel.through(port))

    def is_on(self) -> bool:
        """Whether its sshd greets, else what the file's command says; where there is none, a machine is taken to be on."""
        if self._switched_off:
            return False
        return knock(self.ssh, GREETS_WITHIN).reached is Reached.ANSWERED or not self.hands.has("is_on") or self.hands.is_on()

    def console(self, lines: int = 40) -> str:  # noqa: ARG002 - the interface's
        """Nobody reads the console of an existing machine for us."""
        return ""

    def cut_power(self) -> None:
        """The file's `off`; ends when `is_on` says so."""
        super().cut_power()
        self.hands.do("off")
        self._now_off()

    def shut_down(self) -> None:
        """`systemctl poweroff`; ends when `is_on` says that it is off."""
        super().shut_down()
        self.run("systemctl --no-block poweroff")
        self._now_off()

    def power_on(self) -> None:
        """The file's `on`; ends when the control channel answers and systemd has no queued job.

        Raises:
            MachineDidNotBoot: It is on already, or it did not boot.
        """
        super().power_on()
        if self.is_on():
            msg = f"{self.name} is on already"
            raise MachineDidNotBoot(msg)
        self.hands.do("on")
        self._now_on()

    def reboot(self) -> None:
        """The file's `reboot`, else `systemctl reboot`; ends when the control channel answers in another boot."""
        super().reboot()
        before = self._boot()
        if self.hands.has("reboot"):
            self.hands.do("reboot")
        else:
            self.run("systemctl --no-block reboot")
        self._await_boot(before)

    def suspend(self) -> None:
        """The file's `suspend`."""
        super().suspend()
        self.hands.do("suspend")

    def resume(self) -> None:
        """The file's `resume`."""
        super().resume()
        self.hands.do("resume")

    def disconnect(self) -> None:
        """The file's `network_off`."""
        super().disconnect()
        self.hands.do("network_off")

    def reconnect(self) -> None:
        """The file's `network_on`."""
        super().reconnect()
        self.hands.do("network_on")
        self.channel.drop()

    def rebuild(self) -> None:
        """The file's `rebuild`; ends when the control channel answers."""
        super().rebuild()
        self.hands.do("rebuild")
        self._await_boot("")
        self.made_anew(self.name)

    def _now_off(self) -> None:
        self._await_power(on=False)
        self._switched_off = True

    def _now_on(self) -> None:
        self._switched_off = False
        self._await_power(on=True)
        self._await_boot("")

    def _await_power(self, *, on: bool) -> None:
        self.channel.drop()
        wait_until(
            self.hands.is_on,
            lambda seen: seen is on,
            what=f"`{self.hands.line('is_on')}` says that {self.name} is {'on' if on else 'off'}",
            within=ENDS_WITHIN,
            every=EVERY,
            error=ControlChannelLost,
        )

    def _boot(self) -> str:
        """Id of the boot that the machine is in (random(4))."""
        return self.run(BOOT_ID, timeout=LOOK_WITHIN).stdout.strip()

    def _await_boot(self, before: str) -> None:
        """Wait for another boot than `before`."""

        def boot() -> str:
            try:
                return self._boot()
            except AbilityMissing:
                raise
            except AcceptanceError:
                self.channel.drop()
                return ""

        self.channel.drop()
        wait_until(
            boot,
            lambda seen: seen not in {"", before},
            what=f"{self.name} answers over its control channel after it was started",
            within=BOOTS_WITHIN,
            every=EVERY,
            error=MachineDidNotBoot,
        )
        self.run(NO_QUEUE)
