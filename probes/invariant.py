"""What must hold of a state's history after whatever happened: no fork, no gap, no acknowledged change lost.

Each stored version repeats its predecessor byte for byte (a request that was sent twice) or adds one to the serial, in
the same lineage. Every successful apply wrote a value of its own: exactly one serial carries it, in the order of time, and
the newest holds the one that finished last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from model.errors import PromiseBroken
from model.history import Operation, Operations
from probes.apply_outcome import Effect, effect_of
from probes.snapshots import StateSnapshot, StateVersion

OUTPUT = "value"
"""The output in which `probes.workspace.counted` puts an apply's value."""

ONLY_CURRENT = "only the current object was judged, as the bucket keeps no versions"


@dataclass(frozen=True)
class Judgement:
    """A history that holds.

    Attributes:
        key: Of the state.
        versions: How many versions were judged.
        serials: How many different ones among them.
        applies: How many recorded applies they were held against.
        exempt: How many versions the scenario wrote by hand.
        remarks: What was left out, and why.
    """

    key: str
    versions: int = 0
    serials: int = 0
    applies: int = 0
    exempt: int = 0
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line, remarks included."""
        line = f"{self.key}: {self.versions} versions, {self.serials} serials, {self.applies} applies"
        exempt = f", {self.exempt} written by hand" if self.exempt else ""
        return "; ".join([line + exempt, *self.remarks])


@dataclass(frozen=True)
class _Broken:
    """Raises what is wrong with the history of one state."""

    key: str

    def promise(self, expected: str, observed: str) -> PromiseBroken:
        return PromiseBroken(f"expected {expected} in the history of {self.key}; observed {observed}")


def check_history(
    key: str,
    versions: Sequence[StateVersion],
    applies: Iterable[Operation] = (),
    *,
    by_hand: Collection[str] = (),
    versioned: bool = True,
) -> Judgement:
    """Judge the history of one state.

    Args:
        key: Of the state, for the message.
        versions: All stored versions, oldest first; the current object alone where the bucket keeps no versions.
        applies: Operations with the label `token`, all that were made on this state; their effect is told by
            `probes.apply_outcome.effect_of`. Without any, lineage and serials are judged alone.
        by_hand: Version IDs that the scenario wrote (or deleted) itself: exempt. What follows one continues it.
        versioned: Whether the bucket keeps versions.

    Returns:
        What was judged.

    Raises:
        PromiseBroken: The history does not hold; names expected and observed.
    """
    made = Operations(each for each in applies if "token" in each.labels)
    exempt = sum(each.version.version_id in by_hand for each in versions)
    serials = _check_chain(key, versions, by_hand)
    last = versions[-1] if versions else None
    if versioned:
        _check_tokens(key, serials, made)
        _check_order(key, serials, made)
    if made and not (last is not None and last.version.version_id in by_hand and not versioned):
        _check_newest(key, serials, made)
    remarks = () if versioned else (ONLY_CURRENT,)
    return Judgement(key, len(versions) - exempt, len(serials), len(made), exempt, remarks)


def _check_chain(key: str, versions: Sequence[StateVersion], by_hand: Collection[str]) -> list[StateSnapshot]:
    """Follow the versions from the oldest on; return the first version of each serial that was not written by hand."""
    broken = _Broken(key)
    serials: list[StateSnapshot] = []
    before: StateSnapshot | None = None
    for each in versions:
        now = each.snapshot
        if each.version.version_id in by_hand:
            before = now or before
            continue
        where = f"version {each.version.version_id or 'without an ID'}"
        if now is None:
            what = "a delete marker" if each.version.is_delete_marker else f"content that is no state ({each.version.size} bytes)"
            raise broken.promise("a state in every version", f"{what} in {where}")
        if before is not None and now.raw == before.raw:
            continue
        if before is not None and now.lineage != before.lineage:
            raise broken.promise(f"the lineage {before.lineage} to stay", f"{now.lineage} at serial {now.serial}, {where}")
        if before is not None and now.serial != before.serial + 1:
            kind = "other content of the same serial" if now.serial == before.serial else f"serial {now.serial}"
            raise broken.promise(f"serial {before.serial + 1} after serial {before.serial}", f"{kind}, {where}")
        serials.append(now)
        before = now
    return serials


def _token(snapshot: StateSnapshot) -> str:
    return str(snapshot.outputs.get(OUTPUT, ""))


def _tokens(serials: Sequence[StateSnapshot]) -> dict[str, list[int]]:
    carried: dict[str, list[int]] = {}
    for index, snapshot in enumerate(serials):
        carried.setdefault(_token(snapshot), []).append(index)
    return carried


def _check_tokens(key: str, serials: Sequence[StateSnapshot], made: Operations) -> None:
    """Exactly one serial carries what a successful apply wrote; at most one, what nobody knows of; none, what was refused."""
    carried = _tokens(serials)
    limits = {Effect.CERTAIN: (1, 1, "exactly one serial"), Effect.POSSIBLE: (0, 1, "at most one serial"), Effect.NONE: (0, 0, "no serial")}
    for apply in made:
        token = apply.labels["token"]
        found = [serials[index].serial for index in carried.get(token, [])]
        least, most, words = limits[effect_of(apply)]
        if not least <= len(found) <= most:
            observed = f"serials {found}" if found else f"none among {len(serials)}"
            raise _Broken(key).promise(f"{words} to carry {token} ({apply})", observed)


def _check_order(key: str, serials: Sequence[StateSnapshot], made: Operations) -> None:
    """What ended before another one began stands before it; an apply of unknown outcome may take effect late."""
    carried = _tokens(serials)
    placed = [(apply, carried[apply.labels["token"]][0]) for apply in made if apply.labels["token"] in carried]
    for first, place in placed:
        if effect_of(first) is not Effect.CERTAIN:
            continue
        for second, other in placed:
            if first.precedes(second) and other < place:
                raise _Broken(key).promise(
                    f"{first.labels['token']} before {second.labels['token']}, whose apply began {second.started - first.ended:.2f} s after"
                    " the other one had ended",
                    f"serial {serials[place].serial} and serial {serials[other].serial}",
                )


def _check_newest(key: str, serials: Sequence[StateSnapshot], made: Operations) -> None:
    """The newest serial holds the apply that finished last, one that overlapped with it, or one of unknown outcome."""
    certain = made.where(lambda each: effect_of(each) is Effect.CERTAIN)
    last = max(certain, key=lambda each: each.ended, default=None)
    if last is None:
        return
    candidates = certain.where(lambda each: not any(each.precedes(other) for other in certain))
    possible = made.where(lambda each: effect_of(each) is Effect.POSSIBLE)
    allowed = {each.labels["token"] for each in (*candidates, *possible)}
    newest = serials[-1] if serials else None
    token = _token(newest) if newest else ""
    if newest is None or token not in allowed:
        known = any(each.labels["token"] == token for each in made)
        whose = "" if known or not token else ", which no recorded apply wrote"
        observed = f"{token or 'no value'}{whose}, at serial {newest.serial}" if newest else "no state"
        raise _Broken(key).promise(f"the newest version to hold {last.labels['token']}, which finished last", observed)
