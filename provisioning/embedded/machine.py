"""A machine of an embedded lab, and what a peer on the network sees of each thing that is done to it.

| done | a peer sees |
| --- | --- |
| cut power | silence at once: no answer, no reset; then the address is not on the network any more |
| shut down | systemd's orderly stop: sessions closed, ports refused; then silence |
| suspend | silence; open connections stay open on both sides and go on after `resume` |
| disconnect | silence; the machine itself goes on |
| power on | what boots at boot, in the order of its units; addresses that keepalived had taken are gone |
| rebuild | another host key, signed by the same CA; nothing of the old disk |
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from testinfra.host import Host

from model.errors import ControlChannelLost, MachineDidNotBoot
from model.lab import COMMAND_DEADLINE, Ability, CommandResult, Machine
from model.topology import MachineSpec
from provisioning.embedded.cgroups import Cgroup
from provisioning.embedded.container import Container
from provisioning.embedded.control import inside, run_inside
from provisioning.embedded.disk import Disk
from provisioning.embedded.network import LabNetwork
from provisioning.looking import testinfra_host
from provisioning.roles import Applied

SHUT_DOWN_SECONDS = 60.0


class EmbeddedMachine(Machine):
    """A container with systemd, a disk, a network and a control group of its own."""

    def __init__(  # noqa: PLR0913, PLR0917 - a machine is made of these parts
        self,
        spec: MachineSpec,
        container: Container,
        disk: Disk,
        network: LabNetwork,
        cgroup: Cgroup,
        apply: Callable[[MachineSpec], Applied],
    ) -> None:
        """Put the parts together; nothing is made yet."""
        super().__init__(spec)
        self.disk, self.cgroup = disk, cgroup
        self._container, self._network, self._apply = container, network, apply

    @property
    def abilities(self) -> frozenset[Ability]:
        """All but a hypervisor's; a drive can be filled where it has a file system of its own."""
        return frozenset(Ability) - {Ability.INSPECT} - (frozenset() if self.disk.has_drives() else {Ability.FILL_DRIVE})

    @property
    def host(self) -> Host:
        """Testinfra's view, past network and sshd."""
        return testinfra_host(self.name, self.run)

    def lay_out(self) -> None:
        """Make the disk with its role."""
        self.disk.create()
        self.disk.write(self._apply(self.spec))

    def start(self) -> None:
        """Plug in network and power; `wait_until_booted` says when the machine is there."""
        self._network.plug_in(self.name, self.address)
        self.cgroup.create(self.limits)
        self._container.start()

    def wait_until_booted(self) -> bool:
        """See `Container.wait_until_booted`."""
        return self._container.wait_until_booted()

    def stop_waiting(self) -> None:
        """See `Container.stop_waiting`."""
        self._container.stop_waiting()

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        """Run a shell command as root, past network and sshd."""
        return run_inside(self.name, self._leader(), command, timeout, stdin)

    def entrance(self, command: str) -> list[str]:
        """Command line of the host that runs a shell command on the machine, for a person at a terminal.

        Raises:
            ControlChannelLost: The machine is off.
        """
        return inside(self._leader(), command)

    def _leader(self) -> int:
        leader = self._container.leader()
        if leader is None:
            msg = f"{self.name} is off"
            raise ControlChannelLost(msg)
        return leader

    def is_suspended(self) -> bool:
        """Whether it has power, but stands still."""
        return self.is_on() and self.cgroup.is_frozen()

    def is_on(self) -> bool:
        """Whether its container runs (or is suspended)."""
        return self._container.is_running()

    def fall_silent(self) -> None:
        """A machine that shut itself down has no kernel any more that could answer, so its network goes as well.

        Only for whoever knows that nobody is switching it on in this moment.
        """
        self._network.unplug_for_good(self.name)

    def console(self, lines: int = 40) -> str:
        """Last lines of the console over all boots."""
        if not self._container.console.exists():
            return ""
        return "\n".join(self._container.console.read_text(errors="replace").splitlines()[-lines:])

    def cut_power(self) -> None:
        """Cable out first, so that no peer gets a reset; then everything dies."""
        if self.is_on():
            self._network.set_cable(self.name, up=False)
            self.resume_processes()
            self._container.kill()
        self._network.unplug_for_good(self.name)

    def shut_down(self) -> None:
        """Orderly; ends when the machine is off and silent.

        Raises:
            ControlChannelLost: It did not end within a minute.
        """
        self.run("systemctl --no-block poweroff")
        if not self._container.wait_until_ended(SHUT_DOWN_SECONDS):
            msg = f"{self.name} did not shut down within {SHUT_DOWN_SECONDS:g} s"
            raise ControlChannelLost(msg)
        self._network.unplug_for_good(self.name)

    def power_on(self) -> None:
        """Boot, and wait until systemd has no queued job (20 s at most).

        Raises:
            MachineDidNotBoot: It is on already, or it did not boot.
        """
        if self.is_on():
            msg = f"{self.name} is on already"
            raise MachineDidNotBoot(msg)
        self._network.unplug_for_good(self.name)
        self.start()
        self.wait_until_booted()

    def reboot(self) -> None:
        """Orderly off, then on."""
        self.shut_down()
        self.power_on()

    def suspend(self) -> None:
        """Everything stops where it is; the cable comes out, as the kernel would still complete handshakes."""
        self._network.set_cable(self.name, up=False)
        self.cgroup.set_frozen(frozen=True)

    def resume(self) -> None:
        """Everything goes on where it was."""
        self.resume_processes()
        self._network.set_cable(self.name, up=True)

    def resume_processes(self) -> None:
        """Thaw, if frozen: a frozen process can only be killed once it runs again."""
        if self.cgroup.is_frozen():
            self.cgroup.set_frozen(frozen=False)

    def disconnect(self) -> None:
        """Cable out."""
        self._network.set_cable(self.name, up=False)

    def reconnect(self) -> None:
        """Cable in."""
        self._network.set_cable(self.name, up=True)

    def rebuild(self) -> None:
        """Power off, new disk from the image, role applied with a new host key, power on."""
        if self.is_on():
            self.cut_power()
        self.disk.destroy()
        self.lay_out()
        self.power_on()
