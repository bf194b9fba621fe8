"""The parts of the checklist, by the letter that a check's id begins with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """One part.

    Attributes:
        letter: That its ids begin with.
        title: For people.
        about: What kind of promise it holds.
    """

    letter: str
    title: str
    about: str

    @property
    def anchor(self) -> str:
        """Its place on a page."""
        return f"area-{self.letter.lower()}"

    def holds(self, check_id: str) -> bool:
        """Tell whether a check belongs to it."""
        return check_id.startswith(self.letter)


AREAS = (
    Area("V", "The guide's checklist", "What the guide itself asks to be ticked off before the system counts as ready."),
    Area("T", "The guide's tests", "Three tests that the guide describes by hand, done as it describes them."),
    Area("S", "What the build steps leave behind", "What must be there after each step of the guide was followed."),
    Area("B", "Benefits", "What the guide says one gains. It gives no test for these; here they are put to one."),
    Area(
        "H",
        "Hardening",
        "What goes wrong beyond the guide: lost answers, dead lock holders, strangers. Demands of this suite, not of the guide.",
    ),
)


def area_of(check_id: str) -> Area:
    """The part that a check belongs to; one of its own for a letter that nobody foresaw."""
    return next((area for area in AREAS if area.holds(check_id)), Area(check_id[:1], f"Checks {check_id[:1]}", ""))
