"""Faults of a service on a machine: stopped, frozen, restarted, killed.

| done | a peer sees |
| --- | --- |
| stopped | connections are refused, open ones end |
| frozen | connections are established (the kernel does that) and then silent; open ones stay open and silent |
| restarted, killed | open connections end; new ones are refused until another process listens |
"""

from __future__ import annotations

from faults.control import command
from faults.fault import EFFECT_WITHIN, Fault
from faults.service_fault import ServiceFault
from faults.units import ENDED, NO_PROCESS, OURS, SSHD, STOPPED, process_states
from model.errors import FaultHadNoEffect
from model.lab import Machine
from model.waiting import wait_until
from probes.outcomes import Reached

SSH_UNIT = "ssh.service"
STOP_SSH = f"""
{OURS}
systemctl stop ssh.socket ssh.service 2>/dev/null
for each in $({SSHD}); do
    case "$ours" in *" $each "*) ;; *) kill -KILL "$each" ;; esac
done
true
"""

SIGNAL_SSH = f"""
{OURS.replace("{", "{{").replace("}", "}}")}
listener=$(systemctl show --property=MainPID --value {SSH_UNIT})
for each in $(ps -eo pid=,unit= | awk '$2 == "{SSH_UNIT}" {{{{print $1}}}}') $({SSHD}); do
    case "$ours" in *" $each "*) [ "$each" = "$listener" ] || continue ;; esac
    kill -{{name}} "$each" 2>/dev/null
done
true
"""
"""Our own session is spared, the listener is not. A session whose listener was stopped is a child of init as well."""

KEEPALIVED_UNIT = "keepalived.service"
OTHER_ADDRESSES = "ip -brief -4 address show scope global"


class NamedUnit(Fault):
    """Its title says which unit it is about."""

    def __repr__(self) -> str:
        """What is done to whom."""
        return f"<{type(self).__name__} {self.machine.name}>"

    def __str__(self) -> str:
        """The same in a reader's words."""
        return f"{self.title} on {self.machine.name}"


class ServiceStopped(ServiceFault):
    """A unit is stopped and stays so."""

    title = "stopped"

    def inject(self) -> None:
        """Stop it, in good order."""
        command(self.machine, f"systemctl stop {self.unit}")

    def prove_effect(self) -> None:
        """It has no process any more, and its ports refuse."""
        self.expect_process(lambda seen: seen == NO_PROCESS, "has no process")
        self.expect_at_ports(lambda seen: seen.reached is Reached.REFUSED, "refuses")


class SshStopped(NamedUnit, ServiceStopped):
    """The SSH service is stopped, its open sessions are ended, and it stays stopped: connections are refused.

    Where control is itself a session of that service, this one alone lives on: it is the way back.
    """

    title = "SSH stopped"
    cuts_the_way_back = True

    def __init__(self, machine: Machine) -> None:
        """Choose the machine."""
        super().__init__(machine, SSH_UNIT)

    def inject(self) -> None:
        """Stop the service, and what would start it again; sessions may live outside of it."""
        command(self.machine, STOP_SSH)

    def prove_effect(self) -> None:
        """The port refuses."""
        self.expect(Reached.REFUSED)


class KeepalivedStopped(NamedUnit, ServiceStopped):
    """The keepalived of a balancer is stopped: it gives up the virtual addresses that it has."""

    title = "keepalived stopped"

    def __init__(self, machine: Machine) -> None:
        """Choose the balancer."""
        super().__init__(machine, KEEPALIVED_UNIT)

    def prove_effect(self) -> None:
        """It has no process any more, and the machine no address but its own."""
        super().prove_effect()
        wait_until(
            self.addresses,
            lambda seen: not seen,
            what=f"{self.machine.name} has no address but its own after its keepalived was stopped",
            within=EFFECT_WITHIN,
            error=FaultHadNoEffect,
        )

    def addresses(self) -> list[str]:
        """Addresses of the machine beside its own."""
        words = command(self.machine, OTHER_ADDRESSES).stdout.split()
        found = [word.partition("/")[0] for word in words if "/" in word]
        return [address for address in found if address != self.machine.address]


class ServiceFrozen(ServiceFault):
    """Every process of a unit stands still (SIGSTOP): who asks only whether there is a process notices nothing."""

    title = "frozen"

    def inject(self) -> None:
        """Stop every process where it is; twice, for one that was being born."""
        self.signal("STOP")
        self.signal("STOP")

    def signal(self, name: str) -> None:
        """Send a signal to every process of the unit."""
        command(self.machine, self.signalling(name))

    def signalling(self, name: str) -> str:
        """Shell text that sends a signal to every process of the unit."""
        return f"systemctl kill --kill-whom=all --signal={name} {self.unit}"

    def prove_effect(self) -> None:
        """All processes that have not ended are in state T, the main one is the same, and a peer gets a connection but no word."""
        wait_until(
            lambda: process_states(self.machine, self.unit),
            lambda seen: seen.get(self.before) == STOPPED and set(seen.values()) <= {STOPPED, ENDED},
            what=f"every process of {self.unit} on {self.machine.name} stands still",
            within=EFFECT_WITHIN,
            error=FaultHadNoEffect,
        )
        self.expect_at_ports(lambda seen: seen.reached is Reached.SILENT and seen.shook_hands, "is silent after the handshake")

    def repair(self) -> str:
        """Shell text that lets every process go on, and starts the unit should it have ended meanwhile."""
        return f"{{ {self.signalling('CONT').strip()}\n}} 2>/dev/null\n{super().repair()}"


class SshFrozen(NamedUnit, ServiceFrozen):
    """The SSH service stands still, its listener and its sessions, wherever these live."""

    title = "SSH frozen"
    cuts_the_way_back = True

    def __init__(self, machine: Machine) -> None:
        """Choose the machine."""
        super().__init__(machine, SSH_UNIT)

    def signalling(self, name: str) -> str:
        """The same for sessions that a login manager moved out of the unit; not for our own session."""
        return SIGNAL_SSH.format(name=name)


class ServiceRestarted(ServiceFault):
    """A unit is restarted; it heals itself. Its effect is another main process."""

    title = "restarted"

    def inject(self) -> None:
        """Restart it."""
        command(self.machine, f"systemctl restart {self.unit}")

    def prove_effect(self) -> None:
        """Its main process is another one."""
        self.expect_process(lambda seen: seen not in {NO_PROCESS, self.before}, f"has another main process than {self.before}")


class ProcessKilled(ServiceRestarted):
    """A unit's main process is killed (SIGKILL). Its effect: that process is gone."""

    title = "killed"

    def inject(self) -> None:
        """Kill it."""
        command(self.machine, f"kill -KILL {self.before}")

    def prove_effect(self) -> None:
        """The process that was killed is not the main process any more."""
        self.expect_process(lambda seen: seen != self.before, f"has not process {self.before} any more")
