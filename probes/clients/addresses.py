"""A client that looks again and again who has the addresses that move, and whether the endpoint answers there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile

from model.errors import AcceptanceError
from model.history import Begun, Outcome
from model.lab import Lab
from probes.clients.paced import PacedClient
from probes.condition import owners_of_all
from probes.outcomes import Reached
from probes.ssh import knock

EVERY = timedelta(milliseconds=100)
KNOCK_WITHIN = timedelta(seconds=2)
AND = " and "


@dataclass(frozen=True)
class Move:
    """What looks say of a move.

    Attributes:
        ended: Monotonic seconds of the first look that found everything elsewhere, as all later ones did; None before.
        seen: What the newest look saw.
    """

    ended: float | None
    seen: str

    def __str__(self) -> str:
        """What was seen."""
        return self.seen


class AddressClient(PacedClient):
    """Looks at a fixed rate, so that a move is known to a look and not only to the end of whatever else was waited for.

    Each look is an operation `look`: *ok* when each address was with one balancer alone and the endpoint answered; `who` are
    the balancers that had any. *unknown* is a look that could not be taken.

    Attributes:
        lab: Where.
    """

    def __init__(self, lab: Lab, every: timedelta = EVERY) -> None:
        """Prepare; nothing is looked at yet.

        Args:
            lab: Where.
            every: Time between two beginnings.
        """
        super().__init__("looks for the addresses", every, at_once=math.ceil(KNOCK_WITHIN / every) + 2)
        self.lab = lab

    def begin(self, number: int, **labels: str) -> Begun:
        """Record the beginning of a look."""
        return self.history.begin("look", number=str(number), **labels)

    def work(self, begun: Begun, number: int) -> None:  # noqa: ARG002 - looks are alike
        """Look once: first who has each address, over the control channel, then what a user gets."""
        try:
            having = owners_of_all(self.lab)
        except AcceptanceError as error:
            begun.end(Outcome.UNKNOWN, detail=str(error))
            return
        reached = knock(self.lab.fleet.endpoint, KNOCK_WITHIN).reached
        seen = "; ".join(f"{address}: {AND.join(names) or 'nobody'}" for address, names in having.items())
        alone = all(len(names) == 1 for names in having.values())
        who = AND.join(sorted({name for names in having.values() for name in names}))
        begun.end(
            Outcome.OK if alone and reached is Reached.ANSWERED else Outcome.FAILED, who=who, detail=f"{seen}; the endpoint: {reached}"
        )

    def moved_from(self, name: str) -> Move:
        """How far the addresses have moved away from a balancer.

        Args:
            name: Of the balancer that had them.

        Raises:
            AcceptanceError: The newest look could not be taken.
        """
        self.check()
        looks = self.operations.ended
        if looks and looks[-1].outcome is Outcome.UNKNOWN:
            raise AcceptanceError(looks[-1].detail)
        known = looks.where(lambda look: look.outcome is not Outcome.UNKNOWN)
        elsewhere = takewhile(lambda look: look.ok and name not in look.who.split(AND), reversed(known))
        return Move(min((look.ended for look in elsewhere), default=None), looks[-1].detail if looks else "nobody has looked yet")
