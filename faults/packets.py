"""Faults of packets on their way to a machine: those of one sender, or some of all.

| done | a peer sees |
| --- | --- |
| cut off from one machine | for that machine silence; everybody else notices nothing |
| packets lost | some connections are established late, by a second or more (the client repeats its request) |
"""

from __future__ import annotations

from datetime import timedelta

from faults.control import command
from faults.fault import EFFECT_WITHIN, GONE_WITHIN
from faults.network import TABLE, FilterFault
from faults.peer import CLOSED_PORT, lost_requests
from model.errors import BadInput, FaultHadNoEffect
from model.lab import SSH_PORT, Ability, Machine
from model.waiting import wait_until
from probes.outcomes import Reached

COUNTER = f"nft list table inet {TABLE} | sed -n 's/.*counter packets \\([0-9]*\\).*/\\1/p'"
REQUESTS = 50
ALL_PERCENT = 100
FROM_THERE_SECONDS = 2
TIMED_OUT = 124
"""Exit status of timeout(1) when the time is up."""


class Partition(FilterFault):
    """What one machine sends does not arrive at another; the way back, and everybody else, is not touched."""

    title = "cut off from one machine"

    def __init__(self, machine: Machine, other: Machine, port: int = SSH_PORT) -> None:
        """Choose two machines.

        Args:
            machine: Where nothing arrives any more.
            other: Whose packets are dropped.
            port: Of `machine`, at which that is proven.

        Raises:
            AbilityMissing: Nobody can look from the other machine, or `machine` cannot filter.
        """
        super().__init__(machine)
        other.require(Ability.CONTROL)
        self.other, self.port = other, port

    def __repr__(self) -> str:
        """From where to where."""
        return f"<{type(self).__name__} {self.other.name} -> {self.machine.name}>"

    def __str__(self) -> str:
        """The same in a reader's words."""
        return f"{self.machine.name} hears nothing of {self.other.name}"

    def rule(self) -> str:
        """Drop by where it comes from."""
        return f"ip saddr {self.other.address} drop"

    def knock_from_there(self) -> int:
        """Exit status of a connection that the other machine tries: 0 established, 124 silent, else refused."""
        line = f"timeout {FROM_THERE_SECONDS} bash -c 'exec 3<>/dev/tcp/{self.machine.address}/{self.port}' 2>/dev/null"
        return self.other.run(line).exit_status

    def look_before(self) -> None:
        """See that the other machine gets through.

        Raises:
            FaultHadNoEffect: It does not.
        """
        if self.knock_from_there() != 0:
            msg = f"{self.other.name} does not reach port {self.port} of {self.machine.name} anyway"
            raise FaultHadNoEffect(msg)

    def prove_effect(self) -> None:
        """Silence for the other machine, while we are answered."""
        wait_until(
            self.knock_from_there,
            lambda seen: seen == TIMED_OUT,
            what=f"{self.other.name} gets no answer from port {self.port} of {self.machine.name} (exit status {TIMED_OUT})",
            within=EFFECT_WITHIN,
            error=FaultHadNoEffect,
        )
        self.expect(Reached.ANSWERED)

    def prove_recovery(self) -> None:
        """The other machine gets through again."""
        wait_until(
            self.knock_from_there,
            lambda seen: seen == 0,
            what=f"{self.other.name} reaches port {self.port} of {self.machine.name} again",
            within=GONE_WITHIN,
        )


class PacketLoss(FilterFault):
    """A share of the packets that arrive at a machine is lost, each by chance."""

    title = "packets lost"

    def __init__(self, machine: Machine, percent: int) -> None:
        """Choose the share.

        Args:
            machine: Where.
            percent: 1 to 99; all of them is `NetworkCut`.

        Raises:
            BadInput: Another number.
        """
        super().__init__(machine)
        if not 0 < percent < ALL_PERCENT:
            msg = f"1 to 99 percent of the packets can be lost, not {percent}"
            raise BadInput(msg)
        self.percent = percent

    def __str__(self) -> str:
        """How many."""
        return f"{self.percent}% of the packets lost on {self.machine.name}"

    def rule(self) -> str:
        """Drop by chance."""
        return f"numgen random mod {ALL_PERCENT} < {self.percent} counter drop"

    def lost(self) -> float:
        """Share of 50 connection requests of ours that got no answer at first."""
        return lost_requests(self.machine.at(CLOSED_PORT).require_direct().host, REQUESTS) / REQUESTS

    def look_before(self) -> None:
        """See that nothing is lost yet.

        Raises:
            FaultHadNoEffect: Some of it is, so that the fault could not be told from that.
        """
        if share := self.lost():
            msg = f"{share:.0%} of the requests to {self.machine.name} are lost before the fault"
            raise FaultHadNoEffect(msg)

    def prove_effect(self) -> None:
        """Some of our requests are lost, not all; and the machine has counted what it dropped."""
        wait_until(
            self.lost,
            lambda share: 0 < share < 1,
            what=f"some of the requests to {self.machine.name} are lost (share of {REQUESTS})",
            within=EFFECT_WITHIN,
            every=timedelta(),
            error=FaultHadNoEffect,
        )
        dropped = command(self.machine, COUNTER).stdout.strip()
        if not dropped.isdigit() or int(dropped) == 0:
            msg = f"{self.machine.name} has dropped no packet; its filter says {dropped or 'nothing'}"
            raise FaultHadNoEffect(msg)

    def prove_recovery(self) -> None:
        """Nothing is lost any more, three times in a row."""
        wait_until(
            self.lost,
            lambda share: share == 0,
            what=f"no request to {self.machine.name} is lost any more (share of {REQUESTS})",
            within=GONE_WITHIN,
            every=timedelta(),
            in_a_row=3,
        )
