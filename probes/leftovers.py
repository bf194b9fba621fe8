"""Proof of harmlessness: what a lab showed before a run against what it shows after it.

What carries a mark of ours, or is of a kind that nobody else changes meanwhile, is *left* when it is there at the end and was not in
the beginning. What others may have changed (other states, rules of other tables) is told, and blamed on nobody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from model.remedy import TIMER
from model.story import Comparison
from probes.lease import NAME
from probes.snapshots import ObjectVersion
from probes.traces import MachineTraces, Traces

OUR_TABLE = "tofu_ha_acceptance"
"""Of the packet filter; faults make no other (`faults.network.TABLE`)."""

SHOWN = 5
GONE = "gone"
RUNS = frozenset({"active/running", "active/listening"})
AT_BOOT = frozenset({"enabled", "enabled-runtime", "generated"})
"""States of unit files whose units are meant to run; what is started on demand comes and goes by itself (systemctl(1))."""

PASSING = re.compile(rf"^(user@|user-runtime-dir@|session-|run-|container|{TIMER})")
OTHERS_LINKS = re.compile(r"^(veth|docker|br-|tap|tun|virbr|cali|flannel|cni|lxc)")
"""Links that containers and virtual machines of others bring along."""


def compare(before: Traces, after: Traces, moving: Collection[str] = (), made_anew: Collection[str] = ()) -> Comparison:
    """Compare two looks at one lab.

    Args:
        before: The first.
        after: The second.
        moving: Addresses that may be on any balancer, but on as many as before.
        made_anew: Machines that we had made anew, and which have other host keys since.
    """
    left: list[str] = []
    changed: list[str] = []
    unseen: list[str] = []
    if before.objects is None or after.objects is None:
        unseen.append("objects below our prefix: the state store did not tell")
    else:
        left += _objects(before.objects, after.objects)
    if before.others is not None and after.others is not None:
        changed += _outside(before.others, after.others)
    else:
        unseen.append("objects outside of our prefix: not permitted, or the state store did not tell")
    for name, was in before.machines.items():
        now = after.machines[name]
        if was.power and now.power is False:
            left.append(f"{name} is off, and was on")
        elif was.facts and not now.facts:
            left.append(f"{name} cannot be looked at any more: {now.unseen}")
        elif not was.facts:
            unseen.append(f"{name}: {was.unseen}")
        else:
            left += [f"{name}: {each}" for each in _left_on(was, now, moving)]
            changed += [f"{name}: {each}" for each in _changed_on(was, now, anew=name in made_anew)]
    for address in moving:
        owners = [[name for name, each in look.machines.items() if address in each.addresses] for look in (before, after)]
        if len(owners[0]) != len(owners[1]):
            left.append(f"address {address} is on {_listed(owners[1])}, was on {_listed(owners[0])}")
        elif owners[0] != owners[1]:
            changed.append(f"address {address} has moved from {_listed(owners[0])} to {_listed(owners[1])}")
    seen = sum(bool(each.facts) for each in before.machines.values())
    what = "packet filter, files, processes, timers, services, power and addresses"
    return Comparison(tuple(left), tuple(changed), tuple(unseen), f"objects, versions and delete markers; {what} of {seen} machines")


def _listed(names: list[str]) -> str:
    return " and ".join(names) or "no machine"


def _cut(entries: list[str], most: int = SHOWN) -> str:
    return ", ".join(entries[:most]) + (f" and {len(entries) - most} more" if len(entries) > most else "")


def _objects(before: frozenset[ObjectVersion], after: frozenset[ObjectVersion]) -> Iterator[str]:
    known = {(each.key, each.version_id) for each in before}
    by_key: dict[str, list[ObjectVersion]] = {}
    for each in sorted(after, key=lambda version: version.key):
        if (each.key, each.version_id) not in known and not each.key.endswith(f"/{NAME}"):
            by_key.setdefault(each.key, []).append(each)
    for key, several in list(by_key.items())[:SHOWN]:
        markers = sum(each.is_delete_marker for each in several)
        counts = [(len(several) - markers, "versions"), (markers, "delete markers")]
        yield f"object {key}: " + " and ".join(f"{count} {kind}" for count, kind in counts if count)
    if len(by_key) > SHOWN:
        yield f"{len(by_key) - SHOWN} more objects below our prefix"


def _outside(before: frozenset[ObjectVersion], after: frozenset[ObjectVersion]) -> Iterator[str]:
    was, now = ({(each.key, each.version_id) for each in versions} for versions in (before, after))
    for found, what in ((now - was, "new"), (was - now, "gone")):
        if found:
            yield f"outside of our prefix {len(found)} versions are {what}: {_cut(sorted({key for key, _ in found}))}"


def _left_on(was: MachineTraces, now: MachineTraces, moving: Collection[str]) -> Iterator[str]:
    yield from (f"table of the packet filter: {each.removeprefix('table ')}" for each in _new("tables", was, now) if OUR_TABLE in each)
    yield from (f"file {each}" for each in _new("files", was, now))
    yield from (f"process {each}" for each in _new("processes", was, now))
    yield from (f"timer {each}" for each in _new("timers", was, now))
    for place, digest in sorted(was.pairs("digests").items()):
        if (found := now.pairs("digests").get(place, GONE)) != digest:
            yield f"file {place} is {GONE if found == GONE else 'another one than before'}"
    files = was.pairs("enabled"), now.pairs("enabled")
    yield from (f"service {unit} is {state}, was {files[0].get(unit, 'not there')}" for unit, state in _differing(*files))
    active = was.pairs("active"), now.pairs("active")
    for unit, state in sorted(active[0].items()):
        if state in RUNS and files[0].get(unit) in AT_BOOT and active[1].get(unit, GONE) not in RUNS and not PASSING.match(unit):
            yield f"service {unit} is {active[1].get(unit, GONE)}, was {state}"
    links = {line.partition(" ")[0] for line in was.facts.get("addresses", ())}
    for section, one, other in (("has", was, now), ("has lost", now, was)):
        for line in _new("addresses", one, other):
            link, _, address = line.partition(" ")
            if link in links and not OTHERS_LINKS.match(link) and address.partition("/")[0] not in moving:
                yield f"it {section} the address {address} on {link}"


def _new(section: str, was: MachineTraces, now: MachineTraces) -> list[str]:
    return sorted(now.facts.get(section, frozenset()) - was.facts.get(section, frozenset()))


def _differing(was: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str]]:
    units = sorted(unit for unit in {*was, *now} if not PASSING.match(unit) and "transient" not in {was.get(unit), now.get(unit)})
    return [(unit, now.get(unit, GONE)) for unit in units if was.get(unit) != now.get(unit)]


def _changed_on(was: MachineTraces, now: MachineTraces, *, anew: bool) -> Iterator[str]:
    tables = [each for each in [*_new("tables", was, now), *_new("tables", now, was)] if OUR_TABLE not in each]
    if tables:
        yield f"other tables of the packet filter: {_cut(sorted(each.removeprefix('table ') for each in tables))}"
    elif was.facts.get("tables") == now.facts.get("tables") and was.facts.get("rules") != now.facts.get("rules"):
        yield "rules of other tables of the packet filter"
    if not anew and was.facts.get("keys") != now.facts.get("keys"):
        yield "it has other host keys"
    failed = {unit for unit, state in now.pairs("active").items() if state.startswith("failed/")}
    failed -= {unit for unit, state in was.pairs("active").items() if state.startswith("failed/")}
    yield from (f"service {unit} has failed" for unit in sorted(failed) if not PASSING.match(unit))
