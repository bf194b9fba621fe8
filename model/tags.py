"""Tags that a scenario may carry, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.lab import Ability
from model.topology import TOPOLOGIES, Role

if TYPE_CHECKING:
    from model.catalogue import Catalogue

TIERS = ("smoke", "short", "gate", "thorough")
"""Each tier runs what is in the ones before it; a scenario without a tier's tag is in `gate`."""

NEEDS = tuple(ability.name.lower().replace("_", "-") for ability in Ability)
QUORUM = "quorum"
"""More storage machines at once than the store can do without."""

DISRUPTIONS = (*(role.value for role in (Role.RUNNER, Role.BALANCER, Role.STORAGE)), QUORUM)
"""What `@disruptive:` may name, and a lab may permit: machines of a role, or the quorum."""

VALID = "@check:ID, @smoke, @short, @thorough, @disruptive:WHAT, @topology:NAME, @needs:ABILITY"


@dataclass(frozen=True)
class Tag:
    """One tag: `@check:V4` is of kind `check` with value `V4`."""

    text: str
    kind: str
    value: str
    line: int


def parse_tag(name: str, line: int) -> Tag:
    """Take a tag apart.

    Args:
        name: With its `@`.
        line: Where it stands.

    Returns:
        The tag; its kind is `unknown` where we have no meaning for it.
    """
    text = name.lstrip("@")
    kind, _, value = text.partition(":")
    if kind in {"check", "topology", "needs", "disruptive"}:
        return Tag(text, kind, value, line)
    if text in TIERS and text != "gate":
        return Tag(text, "tier", text, line)
    return Tag(text, "unknown", "", line)


def judge_tags(tags: Iterable[Tag], catalogue: Catalogue) -> Iterator[tuple[int, str]]:
    """Find what is wrong with the tags of one scenario.

    Args:
        tags: Its own and the inherited ones.
        catalogue: What `@check:` may name.

    Yields:
        Line (0 for the scenario's own) and what is wrong.
    """
    tags = tuple(tags)
    for tag in tags:
        if tag.kind == "unknown":
            yield tag.line, f"unknown tag @{tag.text}; valid ones: {VALID}"
        elif tag.kind == "topology" and tag.value not in TOPOLOGIES:
            yield tag.line, f"unknown topology in @{tag.text}; valid ones: {', '.join(TOPOLOGIES)}"
        elif tag.kind == "needs" and tag.value not in NEEDS:
            yield tag.line, f"unknown ability in @{tag.text}; valid ones: {', '.join(NEEDS)}"
        elif tag.kind == "disruptive" and tag.value and tag.value not in DISRUPTIONS:
            yield tag.line, f"unknown part in @{tag.text}; what can be disrupted: {', '.join(DISRUPTIONS)}"
        elif tag.kind == "check" and tag.value not in catalogue:
            yield tag.line, f"unknown check in @{tag.text}; the checklist has {', '.join(catalogue.ids)}"
        elif tag.kind == "check" and catalogue[tag.value].planned:
            yield tag.line, f"check {tag.value} has a scenario, but the checklist calls it planned"
    if len({tag.value for tag in tags if tag.kind == "tier"}) > 1:
        yield 0, "more than one tier: give one of @smoke, @short, @thorough"
    if not any(tag.kind == "check" for tag in tags):
        yield 0, "no @check tag here or on its rule, so it would prove nothing"
