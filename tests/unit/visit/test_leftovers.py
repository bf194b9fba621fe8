"""What a run left in a lab is told from what others changed meanwhile. The looks themselves are tested in a lab."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.story import Comparison
from probes.leftovers import SHOWN, compare
from probes.snapshots import ObjectVersion
from probes.traces import MachineTraces, Traces

VIRTUAL = "10.1.0.102"
FACTS: dict[str, frozenset[str]] = {
    "tables": frozenset({"table inet filter"}),
    "rules": frozenset({"d41d8"}),
    "files": frozenset(),
    "digests": frozenset({"/etc/haproxy/haproxy.cfg aa11"}),
    "keys": frozenset({"ssh-ed25519 AAAA"}),
    "processes": frozenset(),
    "timers": frozenset(),
    "enabled": frozenset({"minio.service enabled", "systemd-hostnamed.service static"}),
    "active": frozenset({"minio.service active/running", "systemd-hostnamed.service active/running"}),
    "addresses": frozenset({"lo 127.0.0.1/8", "eth0 10.1.0.11/24", f"eth0 {VIRTUAL}/24"}),
}
OLD = ObjectVersion("acceptance/20261125-100000-aaaa/x/terraform.tfstate", "1")
THEIRS = ObjectVersion("network/terraform.tfstate", "7")


def traces(**sections: set[str]) -> Traces:
    changed = {name: frozenset(lines) for name, lines in sections.items()}
    other = MachineTraces(power=True, facts={**FACTS, "addresses": frozenset({"eth0 10.1.0.12/24"})})
    machines = {"storage01": MachineTraces(power=True, facts={**FACTS, **changed}), "storage02": other}
    return Traces(frozenset({OLD}), frozenset({THEIRS}), machines)


BEFORE = traces()


def compared(after: Traces) -> Comparison:
    return compare(BEFORE, after, (VIRTUAL,))


def test_a_lab_that_is_as_it_was() -> None:
    found = compared(traces())
    assert (found.left, found.changed, found.unseen) == ((), (), ())
    assert "of 2 machines" in found.compared


@pytest.mark.parametrize(
    ("section", "lines", "words"),
    [
        ("tables", {"table inet filter", "table inet tofu_ha_acceptance"}, "table of the packet filter: inet tofu_ha_acceptance"),
        ("files", {"/tmp/pipeline-abcdefghij"}, "file /tmp/pipeline-abcdefghij"),
        ("digests", {"/etc/haproxy/haproxy.cfg bb22"}, "file /etc/haproxy/haproxy.cfg is another one than before"),
        ("digests", set(), "file /etc/haproxy/haproxy.cfg is gone"),
        ("processes", {"sleep (process 812)"}, "process sleep (process 812)"),
        ("timers", {"tha-undo-20261125-100000-aaaa-1-3"}, "timer tha-undo-20261125-100000-aaaa-1-3"),
        (
            "enabled",
            {"minio.service disabled", "systemd-hostnamed.service static"},
            "service minio.service is disabled, was enabled",
        ),
        (
            "enabled",
            {"minio.service enabled", "systemd-hostnamed.service static", "x.service enabled"},
            "service x.service is enabled, was not there",
        ),
        ("active", {"minio.service inactive/dead"}, "service minio.service is inactive/dead, was active/running"),
        ("active", {"minio.service failed/failed"}, "service minio.service is failed/failed, was active/running"),
        ("addresses", {*FACTS["addresses"], "eth0 10.1.0.200/24"}, "it has the address 10.1.0.200/24 on eth0"),
        ("addresses", FACTS["addresses"] - {"eth0 10.1.0.11/24"}, "it has lost the address 10.1.0.11/24 on eth0"),
    ],
)
def test_what_is_left_on_a_machine(section: str, lines: set[str], words: str) -> None:
    assert compared(traces(**{section: lines})).left == (f"storage01: {words}",)


@pytest.mark.parametrize(
    ("section", "lines", "words"),
    [
        ("tables", {"table inet filter", "table ip docker"}, "other tables of the packet filter: ip docker"),
        ("rules", {"beef"}, "rules of other tables of the packet filter"),
        ("keys", {"ssh-ed25519 BBBB"}, "it has other host keys"),
        ("active", {*FACTS["active"], "x.service failed/failed"}, "service x.service has failed"),
    ],
)
def test_what_others_may_have_changed(section: str, lines: set[str], words: str) -> None:
    found = compared(traces(**{section: lines}))
    assert (found.left, found.changed) == ((), (f"storage01: {words}",))


def test_who_was_made_anew_has_other_host_keys() -> None:
    after = traces(keys={"ssh-ed25519 BBBB"}, tables={"table inet filter", "table ip docker"})
    assert compare(BEFORE, after, made_anew=["storage01"]).changed == ("storage01: other tables of the packet filter: ip docker",)
    assert len(compare(BEFORE, after, made_anew=["storage02"]).changed) == 2


@pytest.mark.parametrize(
    ("section", "lines"),
    [
        ("active", {"minio.service active/running"}),  # systemd-hostnamed is started on demand, and ends by itself
        ("addresses", {*FACTS["addresses"], "veth12ab 172.17.0.9/16"}),
        ("enabled", {*FACTS["enabled"], "run-u12.service transient"}),
        ("enabled", {*FACTS["enabled"], "session-9.scope generated"}),
        ("enabled", {*FACTS["enabled"], "x.service transient"}),
        ("active", {*FACTS["active"], "session-9.scope failed/failed"}),
    ],
)
def test_what_comes_and_goes_by_itself(section: str, lines: set[str]) -> None:
    found = compared(traces(**{section: lines}))
    assert (found.left, found.changed) == ((), ())


def test_a_service_that_was_meant_to_run_is_told_also_where_it_is_not_meant_to_any_more() -> None:
    after = traces(enabled={"minio.service disabled", "systemd-hostnamed.service static"}, active={"minio.service inactive/dead"})
    assert compared(after).left == (
        "storage01: service minio.service is disabled, was enabled",
        "storage01: service minio.service is inactive/dead, was active/running",
    )


@pytest.mark.parametrize(("count", "more"), [(SHOWN, ""), (SHOWN + 2, " and 2 more")])
def test_of_many_tables_some_are_named(count: int, more: str) -> None:
    after = traces(tables={"table inet filter", *(f"table ip t{number}" for number in range(count))})
    named = ", ".join(f"ip t{number}" for number in range(SHOWN))
    assert compared(after).changed == (f"storage01: other tables of the packet filter: {named}{more}",)


@pytest.mark.parametrize("part", ["objects", "others"])
def test_what_the_store_did_not_tell_once_is_not_compared(part: str) -> None:
    blind = replace(BEFORE, **{part: None})  # type: ignore[arg-type]
    for before, after in ((BEFORE, blind), (blind, BEFORE), (blind, blind)):
        found = compare(before, after, (VIRTUAL,))
        assert (found.left, found.changed) == ((), ())
        (unseen,) = found.unseen
        assert unseen.startswith("objects below our prefix" if part == "objects" else "objects outside of our prefix")


def test_objects_versions_and_markers() -> None:
    key = "acceptance/20261125-110000-bbbb/x/terraform.tfstate"
    new = {ObjectVersion(key, "2"), ObjectVersion(key, "3", is_delete_marker=True), ObjectVersion("acceptance/lease.json", "4")}
    found = compared(replace(BEFORE, objects=frozenset({replace(OLD, is_latest=False), *new})))
    assert found.left == (f"object {key}: 1 versions and 1 delete markers",)


def test_of_many_objects_some_are_named_and_the_rest_counted() -> None:
    several = {ObjectVersion(f"acceptance/20261125-110000-bbbb/{number}/x", "1") for number in range(SHOWN + 2)}
    found = compared(replace(BEFORE, objects=frozenset({OLD, *several}))).left
    assert len(found) == SHOWN + 1
    assert found[-1] == "2 more objects below our prefix"
    fewer = compared(replace(BEFORE, objects=frozenset({OLD, *sorted(several, key=lambda each: each.key)[:SHOWN]}))).left
    assert len(fewer) == SHOWN
    assert "more" not in " ".join(fewer)


def test_states_of_others_are_told_and_blamed_on_nobody() -> None:
    found = compared(replace(BEFORE, others=frozenset({ObjectVersion(THEIRS.key, "8")})))
    assert found.left == ()
    assert found.changed == (
        f"outside of our prefix 1 versions are new: {THEIRS.key}",
        f"outside of our prefix 1 versions are gone: {THEIRS.key}",
    )


def test_a_machine_that_is_off_or_silent_is_left_so() -> None:
    off = compared(replace(BEFORE, machines={**BEFORE.machines, "storage01": MachineTraces(power=False, unseen="it is off")}))
    assert off.left[0] == "storage01 is off, and was on"
    silent = compared(replace(BEFORE, machines={**BEFORE.machines, "storage01": MachineTraces(power=True, unseen="no way in")}))
    assert silent.left[0] == "storage01 cannot be looked at any more: no way in"


def test_what_could_not_be_looked_at_is_said() -> None:
    nobody = {name: MachineTraces(unseen="no root") for name in BEFORE.machines}
    found = compare(Traces(None, None, nobody), Traces(None, None, nobody))
    assert found.left == ()
    assert [each.partition(":")[0] for each in found.unseen] == [
        "objects below our prefix",
        "objects outside of our prefix",
        "storage01",
        "storage02",
    ]


def test_an_address_that_moves_may_move_but_not_be_twice() -> None:
    moved = {"storage01": traces(addresses={"lo 127.0.0.1/8", "eth0 10.1.0.11/24"}).machines["storage01"]}
    there = MachineTraces(power=True, facts={**FACTS, "addresses": frozenset({"eth0 10.1.0.12/24", f"eth0 {VIRTUAL}/24"})})
    found = compared(replace(BEFORE, machines={**moved, "storage02": there}))
    assert (found.left, found.changed) == ((), (f"address {VIRTUAL} has moved from storage01 to storage02",))
    twice = compared(replace(BEFORE, machines={**BEFORE.machines, "storage02": there}))
    assert twice.left == (f"address {VIRTUAL} is on storage01 and storage02, was on storage01",)
