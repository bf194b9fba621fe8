"""From a VM that has just been started to a machine with its role: waits for sshd, logs in as cloud-init's user, applies the role.

The host key that a machine shows at its first boot is recorded, as nobody vouches for it yet; the role then gives it one that is
signed by the lab's own CA, and from there on nothing else is accepted.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from testinfra.host import Host

from model.errors import AcceptanceError, LabUnavailable
from model.lab import COMMAND_DEADLINE, SSH_PORT, Ability, CommandResult, Machine
from model.topology import Address, MachineSpec
from model.waiting import wait_until
from probes.outcomes import Reached
from probes.ssh import knock
from provisioning.applying.changes import changes
from provisioning.applying.doing import perform
from provisioning.applying.lab import interface_of
from provisioning.applying.present import look
from provisioning.existing.channel import Settings, SshChannel, write_configuration
from provisioning.existing.labfile import Login
from provisioning.looking import testinfra_host
from provisioning.proxmox.workspace import Workspace
from provisioning.roles import Applied
from provisioning.roles.reference import LabFacts, reference

GREETS_WITHIN = timedelta(seconds=2)
LETS_IN_WITHIN = timedelta(seconds=90)
SETTLES_WITHIN = timedelta(minutes=5)
EVERY = timedelta(seconds=1)
SETTLED = "! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null; test -e /"
"""Until cloud-init is done it holds locks of apt, and may still write what a role writes; how it ended is told by what follows."""

TAKEN_OVER = "hostname -F /etc/hostname && if [ -d /etc/cloud ]; then touch /etc/cloud/cloud-init.disabled; fi"
"""The machine takes its name in the lab; cloud-init has done its work, and must not write /etc/hosts anew at every boot."""

KEYSCAN_SECONDS = 10


class Raw(Machine):
    """A machine with cloud-init's user alone."""

    def __init__(self, channel: SshChannel) -> None:
        """Wrap the way in."""
        super().__init__(channel.spec)
        self.channel = channel

    @property
    def abilities(self) -> frozenset[Ability]:
        """Nothing but a way in."""
        return frozenset({Ability.CONTROL})

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        """Run a shell command as root."""
        return self.channel.run(command, timeout, stdin)

    @property
    def host(self) -> Host:
        """Testinfra's view."""
        return testinfra_host(self.name, self.run)

    def is_on(self) -> bool:
        """It answers."""
        return True

    def console(self, lines: int = 40) -> str:  # noqa: ARG002 - the interface's
        """None."""
        return ""


@dataclass(frozen=True)
class FirstContact:
    """Makes machines of VMs.

    Attributes:
        workspace: Of the lab.
        facts: What templates may say.
        user: Whom cloud-init made.
        folder: Private and short, for connections.
        programs: That machines get, by name.
        boots_within: Until sshd greets.
        tell: Is told what is being done.
    """

    workspace: Workspace
    facts: LabFacts
    user: str
    folder: Path
    programs: Mapping[str, Path]
    boots_within: timedelta
    tell: Callable[[str], object] = field(default=lambda _what: None)

    def await_boot(self, specs: list[MachineSpec]) -> dict[str, str]:
        """Wait for the sshd of each, all at once.

        Returns:
            By machine: why it did not answer; empty where all did.
        """
        with ThreadPoolExecutor(max_workers=max(len(specs), 1)) as pool:
            said = dict(zip((spec.name for spec in specs), pool.map(self._greets, specs), strict=True))
        return {name: why for name, why in said.items() if why}

    def _greets(self, spec: MachineSpec) -> str:
        address = Address(spec.address, SSH_PORT)
        try:
            wait_until(
                lambda: knock(address, GREETS_WITHIN).reached,
                lambda seen: seen is Reached.ANSWERED,
                what=f"the sshd of {spec.name} ({spec.address}) greets",
                within=self.boots_within,
                every=EVERY,
                error=LabUnavailable,
            )
        except LabUnavailable as error:
            return str(error)
        return ""

    def apply(self, specs: list[MachineSpec]) -> None:
        """Give machines their roles, all at once.

        Raises:
            LabUnavailable: A machine lets nobody in, or a step failed.
        """
        self._record(specs)
        logins = {spec.name: (spec.address, self._login) for spec in specs}
        configuration = write_configuration(Settings(self.folder, self.folder), logins)
        channels = [SshChannel(spec, self._login, configuration) for spec in specs]
        try:
            with ThreadPoolExecutor(max_workers=max(len(specs), 1)) as pool:
                list(pool.map(self._apply, channels))
        finally:
            for channel in channels:
                channel.drop()

    @property
    def _login(self) -> Login:
        return Login(user=self.user, private_key=self.workspace.login_key, known_hosts=self.workspace.first_contact)

    def _record(self, specs: list[MachineSpec]) -> None:
        """What machines show now, in place of what the same addresses showed earlier."""
        addresses = [spec.address for spec in specs]
        there = self.workspace.first_contact
        kept = there.read_text().splitlines() if there.exists() else []
        argv = ["ssh-keyscan", "-T", str(KEYSCAN_SECONDS), *addresses]
        found = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=KEYSCAN_SECONDS * (len(addresses) + 1))
        lines = [line for line in kept if line.partition(" ")[0] not in addresses]
        lines += [line for line in found.stdout.splitlines() if line and not line.startswith("#")]
        there.write_text("".join(f"{line}\n" for line in lines))

    def _apply(self, channel: SshChannel) -> None:
        machine = Raw(channel)

        def lets_in() -> str:
            try:
                return "" if channel.run("true", timedelta(seconds=10)).ok else "`true` failed"
            except AcceptanceError as error:
                channel.refused = ""  # cloud-init may not have come to sudo yet
                return str(error)

        wait_until(
            lets_in,
            lambda said: not said,
            what=f"{machine.name} lets {self.user} in, who may become root",
            within=LETS_IN_WITHIN,
            every=EVERY,
            error=LabUnavailable,
        )
        machine.run(SETTLED, timeout=SETTLES_WITHIN)
        self.tell(f"applying the role to {machine.name}")
        wanted = self.wanted(machine)
        perform(machine, changes(machine.name, wanted, look(machine, wanted)), self.programs)
        machine.run(TAKEN_OVER)

    def wanted(self, machine: Machine) -> Applied:
        """What a machine should have, with a host key that is new each time."""
        identity = self.workspace.identity(machine.spec, self.facts.topology)
        return reference(machine.spec, self.facts, identity, interface_of(machine))
