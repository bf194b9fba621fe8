"""What lies below the prefix that a lab gives us: objects of earlier runs of ours, or of somebody else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from model.lab import Store
from probes.lease import NAME
from probes.snapshots import ObjectVersion

RUN = re.compile(r"\d{8}-\d{6}-[a-z]{4}")
"""Ids of runs (`model.run.new_run_id`): everything of a run lies below a folder that is called so."""

PASSING = frozenset({"condition"})
"""Folders of ours that belong to no run: objects in them are removed as soon as they were written."""

SHOWN = 3


@dataclass(frozen=True)
class Belongings:
    """What was found below the prefix.

    Attributes:
        foreign: Keys that no run of ours has made, each once.
        earlier: Runs of ours that left something, with the number of objects, versions and delete markers.
    """

    foreign: tuple[str, ...] = ()
    earlier: dict[str, int] = field(default_factory=dict)

    def told(self, store: Store) -> str:
        """What is foreign, and what to do."""
        some = ", ".join(self.foreign[:SHOWN]) + (", …" if len(self.foreign) > SHOWN else "")
        return (
            f"below {store.own} in bucket {store.bucket} lies what is not ours: {some} ({len(self.foreign)} keys, older versions and "
            f"delete markers included); nothing was started. Give store.prefix in the lab file a name that nobody uses"
        )


def owner(store: Store, key: str) -> str | None:
    """Which run a key below our prefix belongs to; empty for what belongs to none of them, None for what is not ours."""
    name = key.removeprefix(store.own).partition("/")[0]
    if RUN.fullmatch(name):
        return name
    return "" if name == NAME or name in PASSING else None


def belongings(store: Store, versions: Iterable[ObjectVersion]) -> Belongings:
    """Sort what lies below the prefix by whose it is.

    Args:
        store: With the prefix.
        versions: Everything below it, delete markers included.
    """
    foreign: dict[str, None] = {}
    earlier: Counter[str] = Counter()
    for each in versions:
        run = owner(store, each.key)
        if run is None:
            foreign[each.key] = None
        elif run:
            earlier[run] += 1
    return Belongings(tuple(foreign), dict(earlier))
