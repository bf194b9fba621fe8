"""A run as a guest: it leaves nothing, keeps others out, and finds whatever was planted as left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures import visit as visiting
from fixtures.visit import Visit
from model.errors import BadInput, LabInUse
from model.lab import Lab
from model.run import new_run_id
from probes.store import StoreProbe
from provisioning import drivers
from provisioning.embedded.driver import EmbeddedDriver

DEAD = "20201231-235959-dead"


def in_its_network(driver: EmbeddedDriver, lab: Lab, work: Callable[[StoreProbe], object]) -> None:
    """Do something with its store, from a thread of its own."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            driver.enter(lab)
            store = StoreProbe(lab.store)
            work(store)
            store.close()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not failed


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visiting, "GONE_WITHIN", timedelta(seconds=1))


def test_a_visit_leaves_nothing(visit: Visit, driver: EmbeddedDriver, owned: Lab) -> None:
    visit.arrive()
    assert (visit.findings, visit.no_way_in, visit.notes) == ([], "", [])
    seen: list[object] = []
    in_its_network(driver, owned, lambda store: seen.append(store.keys("acceptance/").value))
    assert seen == [("acceptance/lease.json",)]
    assert visit.why_not_disrupt() == visit.why_lost(disturbed=False) == ""
    assert visit.depart(lambda _line: None) == []
    assert visit.comparison is not None
    assert (visit.comparison.left, visit.comparison.changed, visit.comparison.unseen) == ((), (), ())
    in_its_network(driver, owned, lambda store: seen.append(store.versions("acceptance/").value))
    assert seen[1] == ()


@pytest.mark.proof
def test_a_second_run_is_told_who_is_there(visit: Visit, file: Path) -> None:
    visit.arrive()
    second = Visit(drivers.existing(file), new_run_id())
    with pytest.raises(LabInUse, match=f"run {visit.run} of "):
        second.arrive()
    assert second.depart(lambda _line: None) == []
    assert visit.why_lost(disturbed=False) == ""


def test_a_prefix_of_somebody_else_is_refused(visit: Visit, driver: EmbeddedDriver, owned: Lab) -> None:
    try:
        in_its_network(driver, owned, lambda store: store.put("acceptance/network/terraform.tfstate", b"{}"))
        with pytest.raises(BadInput, match=r"acceptance/network/terraform\.tfstate"):
            visit.arrive()
    finally:
        in_its_network(driver, owned, lambda store: store.remove_all("acceptance/network/"))


def test_what_an_earlier_run_left_is_named(visit: Visit, driver: EmbeddedDriver, owned: Lab) -> None:
    try:
        in_its_network(driver, owned, lambda store: store.put(f"acceptance/{DEAD}/x/terraform.tfstate", b"{}"))
        visit.arrive()
        assert [note for note in visit.notes if f"heal {DEAD}" in note] == visit.notes
        assert len(visit.notes) == 1
        assert visit.depart(lambda _line: None) == [], "what was there before is not ours"
    finally:
        in_its_network(driver, owned, lambda store: store.remove_all(f"acceptance/{DEAD}/"))


@dataclass(frozen=True)
class Leftover:
    """Something that is planted.

    Attributes:
        machine: Where.
        plant: Shell text.
        remove: Shell text.
        words: How it is named.
    """

    machine: str
    plant: str
    remove: str
    words: str


PLANTED = (
    Leftover(
        "storage01",
        "nft add table inet tofu_ha_acceptance",
        "nft delete table inet tofu_ha_acceptance",
        "table of the packet filter: inet tofu_ha_acceptance",
    ),
    Leftover("runner01", "mkdir /tmp/pipeline-abcdefghij", "rmdir /tmp/pipeline-abcdefghij", "file /tmp/pipeline-abcdefghij"),
    Leftover(
        "balancer01",
        "mkdir /root/haproxy-set-aside",
        "rmdir /root/haproxy-set-aside",
        "file /root/haproxy-set-aside",
    ),
    Leftover(
        "balancer01",
        "echo '# planted' >> /etc/haproxy/haproxy.cfg",
        "sed -i '/^# planted$/d' /etc/haproxy/haproxy.cfg",
        "file /etc/haproxy/haproxy.cfg is another one than before",
    ),
    Leftover(
        "runner02",
        "systemd-run --quiet --unit=planted --setenv=TOFU_HA_ACCEPTANCE=planted sleep 300",
        "systemctl stop planted.service",
        "process sleep (process ",
    ),
    Leftover(
        "balancer01",
        "systemctl kill --kill-whom=main --signal=STOP haproxy.service",
        "systemctl kill --kill-whom=main --signal=CONT haproxy.service",
        "which stands still",
    ),
    Leftover(
        "runner01",
        "systemd-run --quiet --unit=tha-undo-planted-1 --on-active=300 true",
        "systemctl stop tha-undo-planted-1.timer",
        "timer tha-undo-planted-1",
    ),
    Leftover(
        "balancer01",
        "systemctl stop haproxy.service",
        "systemctl start haproxy.service",
        "service haproxy.service is inactive/dead, was active/running",
    ),
    Leftover(
        "storage01",
        "systemctl --quiet disable minio.service",
        "systemctl --quiet enable minio.service",
        "service minio.service is disabled, was enabled",
    ),
    Leftover(
        "runner02",
        "ip address add 10.1.0.250/24 dev $(ip -brief link | awk '$1 !~ /^lo/ {sub(/@.*/, \"\", $1); print $1; exit}')",
        "ip address del 10.1.0.250/24 dev $(ip -brief link | awk '$1 !~ /^lo/ {sub(/@.*/, \"\", $1); print $1; exit}')",
        "it has the address 10.1.0.250/24 on ",
    ),
)


CASES = [pytest.param(each, id=each.words, marks=pytest.mark.proof if number % 6 else ()) for number, each in enumerate(PLANTED)]


@pytest.mark.parametrize("planted", CASES)
def test_what_is_left_on_a_machine_is_found(visit: Visit, owned: Lab, planted: Leftover) -> None:
    visit.arrive()
    machine = owned.machines[planted.machine]
    try:
        done = machine.run(planted.plant)
        assert done.ok, done.text
        bad = visit.depart(lambda _line: None)
    finally:
        assert machine.run(planted.remove).ok
    assert [each for each in bad if each.startswith(f"left in the lab: {planted.machine}: ") and planted.words in each], bad
    assert len(bad) == 1, bad


@pytest.fixture
def _powered(owned: Lab) -> Iterator[None]:
    yield
    if not owned.machines["runner02"].is_on():
        owned.machines["runner02"].power_on()


@pytest.mark.proof
@pytest.mark.usefixtures("_powered")
def test_a_machine_that_is_off_is_found(visit: Visit, owned: Lab) -> None:
    visit.arrive()
    owned.machines["runner02"].cut_power()
    assert visit.depart(lambda _line: None) == ["left in the lab: runner02 is off, and was on"]


@pytest.mark.parametrize("deed", [pytest.param("object", marks=pytest.mark.proof), "delete marker"])
def test_objects_are_found(visit: Visit, driver: EmbeddedDriver, owned: Lab, deed: str) -> None:
    key = f"acceptance/{DEAD}/x/terraform.tfstate"

    def plant(store: StoreProbe) -> None:
        version = store.put(key, b"{}").value
        if deed == "delete marker":
            store.remove(key)
            store.remove(key, version)

    visit.arrive()
    try:
        in_its_network(driver, owned, plant)
        count = "1 delete markers" if deed == "delete marker" else "1 versions"
        assert visit.depart(lambda _line: None) == [f"left in the lab: object {key}: {count}"]
    finally:
        in_its_network(driver, owned, lambda store: store.remove_all(f"acceptance/{DEAD}/"))


@pytest.mark.proof
def test_states_of_others_are_told_only(visit: Visit, driver: EmbeddedDriver, owned: Lab) -> None:
    visit.arrive()
    versions: list[str] = []
    try:
        in_its_network(driver, owned, lambda store: versions.append(store.put("network/terraform.tfstate", b"{}").value or ""))
        assert visit.depart(lambda _line: None) == []
        assert visit.comparison is not None
        assert visit.comparison.changed == ("outside of our prefix 1 versions are new: network/terraform.tfstate",)
    finally:
        in_its_network(driver, owned, lambda store: store.remove("network/terraform.tfstate", versions[0]))
