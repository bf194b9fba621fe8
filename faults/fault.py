"""What every fault has: it is injected, proves from outside that it took effect, is healed, and proves that it is gone."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import ClassVar

from model.errors import FaultHadNoEffect
from model.lab import Ability, Machine
from model.remedy import Remedy
from model.story import Strike
from model.waiting import wait_until
from probes.outcomes import Reached
from probes.ssh import knock

EFFECT_WITHIN = timedelta(seconds=10)
GONE_WITHIN = timedelta(seconds=30)
KNOCK_WITHIN = timedelta(seconds=1)
KINDS: dict[str, type[Fault]] = {}
"""Every kind of fault that was imported, by title; `faults.registry` imports them all."""


def _nothing(_fault: Fault) -> None:
    pass


class Fault(ABC):
    """A fault of one machine (or of several that must fail together).

    A kind of fault says what it is in `title`, and is known from then on: there is no list to keep.

    Attributes:
        ability: What the lab must be able to do to the machine.
        title: What happens, in a reader's words ("plug pulled"); no two kinds share one.
        machine: The target.
        injected_at: Monotonic seconds when `inject` had returned; None before.
        proven_at: Monotonic seconds when the effect had been seen; None before.
        relieved_at: Monotonic seconds when healing began, until when it surely lasted; None before.
        healed_at: Monotonic seconds when `heal` had returned; None before.
        newest: The same for the record, as a clock on the wall shows it; a new one whenever it strikes again.
    """

    ability: ClassVar[Ability]
    title: ClassVar[str]
    cuts_the_way_back: ClassVar[bool] = False
    """Whether a control channel over SSH may be lost by it: then something else must be able to undo it."""

    def __init_subclass__(cls) -> None:
        """Make a kind that has a title known.

        Raises:
            TypeError: Another kind has that title.
        """
        super().__init_subclass__()
        title = cls.__dict__.get("title")
        if title is None:
            return
        other = KINDS.setdefault(title, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            msg = f"{cls.__qualname__} has the title of {other.__qualname__}: {title!r}"
            raise TypeError(msg)

    def __init__(self, machine: Machine) -> None:
        """Choose the target; nothing happens yet.

        Raises:
            AbilityMissing: The lab cannot do this to the machine.
        """
        machine.require(self.ability)
        self.machine = machine
        self.injected_at: float | None = None
        self.proven_at: float | None = None
        self.relieved_at: float | None = None
        self.healed_at: float | None = None
        self.newest = Strike(self.title, ())
        self._settle: Callable[[Fault], None] = _nothing

    def __repr__(self) -> str:
        """What is done to whom."""
        return f"<{type(self).__name__} {self.machine.name}>"

    def __str__(self) -> str:
        """The same in a reader's words."""
        return f"{self.title} on {self.machine.name}"

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Everything that it breaks: none of it may have another fault."""
        return (self.machine,)

    def strike(self, prepare: Callable[[Fault], None] = _nothing, settle: Callable[[Fault], None] = _nothing) -> None:
        """Look, inject, and prove the effect.

        Args:
            prepare: Called when it is known what to break, and before it is broken.
            settle: Called once it is healed, by whomever.

        Raises:
            FaultHadNoEffect: Nothing of it could be seen from outside, or there was nothing to break.
        """
        self.healed_at = self.relieved_at = self.injected_at = self.proven_at = None  # a fault may strike again after it was healed
        self._settle = settle
        self.newest = Strike(self.title, tuple(machine.name for machine in self.machines))
        self.look_before()
        prepare(self)
        self.inject()
        self.injected_at, self.newest.injected = time.monotonic(), time.time()
        self.prove_effect()
        self.proven_at, self.newest.proven = time.monotonic(), time.time()

    @property
    def struck_at(self) -> float:
        """When it was injected, in monotonic seconds.

        Raises:
            FaultHadNoEffect: It was not injected.
        """
        if self.injected_at is None:
            msg = f"{self!r} was never injected"
            raise FaultHadNoEffect(msg)
        return self.injected_at

    def undo(self) -> None:
        """Heal, unless that was done; also after an injection that failed half-way."""
        if self.healed_at is None:
            self.relieved_at = time.monotonic()
            self.heal()
            self.healed_at, self.newest.healed = time.monotonic(), time.time()
            self._settle(self)

    def look_before(self) -> None:  # noqa: B027 - most faults need no look
        """See how things are before they break, where the proof needs it; changes nothing.

        Raises:
            FaultHadNoEffect: There is nothing that could break.
        """

    @abstractmethod
    def inject(self) -> None:
        """Break."""

    @abstractmethod
    def prove_effect(self) -> None:
        """See from outside that it is broken, or raise `FaultHadNoEffect`."""

    @abstractmethod
    def remedies(self) -> tuple[Remedy, ...]:
        """What undoes it, in order, as far as it is known what there is to break (after `look_before`)."""

    def heal(self) -> None:
        """Repair; does no harm when nothing is broken, when it is done twice, and when a machine is off.

        Raises:
            ControlChannelLost: A remedy failed.
        """
        by_name = {machine.name: machine for machine in self.machines}
        for remedy in self.remedies():
            remedy.apply(by_name[remedy.machine])

    def prove_recovery(self) -> None:
        """See from outside that the machine answers again.

        Raises:
            DeadlineMissed: It does not within 30 s.
        """
        wait_until(self.knock, lambda seen: seen is Reached.ANSWERED, what=f"SSH on {self.machine.name} answers again", within=GONE_WITHIN)

    def knock(self) -> Reached:
        """What a user gets who connects to the machine's SSH port directly."""
        return knock(self.machine.ssh, KNOCK_WITHIN).reached

    def expect(self, *wanted: Reached) -> None:
        """Raise `FaultHadNoEffect` unless the SSH port soon does one of what is wanted."""
        wait_until(
            self.knock,
            lambda seen: seen in wanted,
            what=f"SSH on {self.machine.name} is {' or '.join(wanted)} after {type(self).__name__}",
            within=EFFECT_WITHIN,
            error=FaultHadNoEffect,
        )


def overlap(one: Collection[Machine], other: Collection[Machine]) -> bool:
    """Whether two faults break the same machine."""
    return any(here is there for here in one for there in other)
