"""Faults of a machine's network, made outside of it or by a packet filter on it.

| done | a peer sees |
| --- | --- |
| network cut | silence; the machine itself works on, and its open connections go on after it |
| port blocked | that port refuses (a reset, for open connections too) or is silent; all else works |
"""

from __future__ import annotations

from abc import abstractmethod

from faults.control import command, require_program
from faults.fault import EFFECT_WITHIN, GONE_WITHIN, Fault
from faults.peer import Greeting, greet
from model.errors import BadInput, FaultHadNoEffect
from model.lab import Ability, Machine
from model.remedy import Deed, Remedy
from model.waiting import wait_until
from probes.outcomes import Reached

TABLE = "tofu_ha_acceptance"
"""Name of the packet filter's table that faults make and remove; no other is touched."""

NO_TABLE = f"add table inet {TABLE}\ndelete table inet {TABLE}\n"
REMOVE_TABLE = f"nft -f - <<'table'\n{NO_TABLE}table\n"
MAKE_TABLE = """
set -- $CONTROL_CONNECTION
case "$1" in *:*) family=ip6 ;; *) family=ip ;; esac
spared=; [ "$#" -ne 4 ] || spared="$family saddr $1 tcp sport $2 tcp dport $4 accept"
sed "s/^ *spared$/$spared/" | nft -f -
"""
"""Where control is itself a connection to the machine, that one connection is spared."""

TABLE_OF_ONE_RULE = f"""{NO_TABLE}
table inet {TABLE} {{{{
    chain input {{{{
        type filter hook input priority -300; policy accept;
        iifname "lo" accept
        spared
        {{rule}}
    }}}}
}}}}
"""


class NetworkCut(Fault):
    """The network cable is pulled; the machine has power and works on."""

    ability = Ability.DISCONNECT
    title = "network cut"

    def inject(self) -> None:
        """Pull the cable."""
        self.machine.disconnect()

    def prove_effect(self) -> None:
        """Nobody answers, although the machine is on."""
        self.expect(Reached.SILENT, Reached.UNREACHABLE)
        if not self.machine.is_on():
            msg = f"{self.machine.name} is off, so that its silence says nothing of its network"
            raise FaultHadNoEffect(msg)

    def remedies(self) -> tuple[Remedy, ...]:
        """Plug the cable in."""
        return (Remedy(self.machine.name, deed=Deed.RECONNECT),)


class FilterFault(Fault):
    """A fault that a packet filter on the machine makes, in a table of its own (nftables); a machine that lost its power has none."""

    ability = Ability.CONTROL
    cuts_the_way_back = True

    def __init__(self, machine: Machine) -> None:
        """Choose the machine.

        Raises:
            AbilityMissing: It has no `nft`, or no control channel of its own.
        """
        super().__init__(machine)
        require_program(machine, "nft")

    @abstractmethod
    def rule(self) -> str:
        """What is done to packets that arrive over the network, as nft(8) has it."""

    def inject(self) -> None:
        """Make the table; before all other filters, not for what the machine says to itself, and not for our own control connection."""
        command(self.machine, MAKE_TABLE, stdin=TABLE_OF_ONE_RULE.format(rule=self.rule()))

    def remedies(self) -> tuple[Remedy, ...]:
        """Remove the table."""
        return (Remedy(self.machine.name, REMOVE_TABLE),)


class PortBlocked(FilterFault):
    """One TCP port of a machine is blocked: it refuses, or it is silent."""

    title = "port blocked"

    def __init__(self, machine: Machine, port: int, seen_as: Reached = Reached.SILENT) -> None:
        """Choose the port.

        Args:
            machine: Where.
            port: Which.
            seen_as: What a peer gets: `REFUSED` or `SILENT`.

        Raises:
            BadInput: It cannot be seen as anything else.
        """
        super().__init__(machine)
        if seen_as not in {Reached.REFUSED, Reached.SILENT}:
            msg = f"a blocked port is refused or silent, not {seen_as}"
            raise BadInput(msg)
        self.port, self.seen_as = port, seen_as

    def __str__(self) -> str:
        """Which port, and how."""
        return f"port {self.port} {self.seen_as} on {self.machine.name}"

    def look_before(self) -> None:
        """See that something answers there.

        Raises:
            FaultHadNoEffect: Nothing does, so that blocking it would change nothing.
        """
        seen = self.greet()
        if not seen.answered:
            msg = f"port {self.port} of {self.machine.name} is {seen} already, so that blocking it changes nothing"
            raise FaultHadNoEffect(msg)

    def greet(self) -> Greeting:
        """What a peer gets at the port."""
        return greet(self.machine.at(self.port))

    def rule(self) -> str:
        """Reset or drop."""
        return f"tcp dport {self.port} {'reject with tcp reset' if self.seen_as is Reached.REFUSED else 'drop'}"

    def prove_effect(self) -> None:
        """A peer gets what it should, without a handshake."""
        wait_until(
            self.greet,
            lambda seen: seen.reached is self.seen_as and not seen.shook_hands,
            what=f"port {self.port} of {self.machine.name} is {self.seen_as}",
            within=EFFECT_WITHIN,
            error=FaultHadNoEffect,
        )

    def prove_recovery(self) -> None:
        """The port answers again."""
        wait_until(
            self.greet,
            lambda seen: seen.answered,
            what=f"port {self.port} of {self.machine.name} answers again",
            within=GONE_WITHIN,
        )
