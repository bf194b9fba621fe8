"""Labs that are defective on purpose: what is wrong with each, which checks must say so, and which must not mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from minio.versioningconfig import SUSPENDED, VersioningConfig

from model.lab import Lab
from model.topology import MachineSpec
from model.waiting import wait_until
from probes.store import StoreProbe
from provisioning.embedded.driver import Alteration, as_in_reference
from provisioning.roles import Applied, File
from provisioning.roles.reference import BACKEND_SETTINGS

SERVES_WITHIN = timedelta(seconds=30)
INIT = "/usr/lib/systemd/systemd"


@dataclass(frozen=True)
class Symptom:
    """How a defect shows.

    Attributes:
        check: The check that must fail.
        scenario: Title of the scenario that finds it.
        words: What its explanation must contain: machine, expected, observed.
    """

    check: str
    scenario: str
    words: tuple[str, ...]


def leave_alone(_lab: Lab) -> None:
    """Do nothing after boot."""


@dataclass(frozen=True)
class Defect:
    """A lab that breaks a promise.

    Attributes:
        name: What is wrong.
        topology: Of the lab.
        symptoms: What must be found, and how it must be explained.
        healthy: Checks that must still pass.
        alter: Deviation from the reference configuration.
        after_boot: What is done to the lab before anybody looks at it.
        selection: Marker expression for the scenarios that are run.
    """

    name: str
    topology: str
    symptoms: tuple[Symptom, ...]
    healthy: tuple[str, ...]
    alter: Alteration = as_in_reference
    after_boot: Callable[[Lab], None] = leave_alone
    selection: str = "not disruptive"

    @property
    def checks(self) -> tuple[str, ...]:
        """Everything that is looked at."""
        return tuple(dict.fromkeys([*(symptom.check for symptom in self.symptoms), *self.healthy]))


def only(name: str, change: Callable[[Applied], Applied]) -> Alteration:
    """Deviate on one machine."""

    def alter(machine: MachineSpec, applied: Applied) -> Applied:
        return change(applied) if machine.name == name else applied

    return alter


def _serving(lab: Lab) -> StoreProbe:
    """The state store as its administrator sees it, once it answers."""
    probe = StoreProbe(lab.store)
    wait_until(probe.bucket_exists, lambda seen: seen.ok, what="the state store answers", within=SERVES_WITHIN)
    return probe


def remove_bucket(lab: Lab) -> None:
    """As somebody who cleaned up too much."""
    probe = _serving(lab)

    def remove() -> bool:
        there = probe.bucket_exists().value
        if there:
            probe.client.remove_bucket(bucket_name=lab.store.bucket)
        return there is False

    _lastingly(remove, "the bucket is gone")


def suspend_versioning(lab: Lab) -> None:
    """As somebody who wanted to save disk space."""
    probe = _serving(lab)

    def suspend() -> bool:
        suspended = probe.versioning().value == SUSPENDED
        if not suspended:
            probe.client.set_bucket_versioning(bucket_name=lab.store.bucket, config=VersioningConfig(SUSPENDED))
        return suspended

    _lastingly(suspend, "versioning is suspended")


def _lastingly(change: Callable[[], bool], what: str) -> None:
    """Repeat a change until it lasts: while MinIO starts, it brings back buckets that it knew before."""
    wait_until(change, bool, what=what, within=SERVES_WITHIN, every=timedelta(milliseconds=300), in_a_row=5)


def start_minio(name: str) -> Callable[[Lab], None]:
    """As somebody who started the service by hand and never enabled it."""
    return lambda lab: _must(lab, name, "systemctl start minio.service")


def _must(lab: Lab, name: str, command: str) -> None:
    done = lab.machines[name].run(command)
    if not done.ok:
        msg = f"`{command}` on {name} failed: {done.text}"
        raise RuntimeError(msg)


def pull_plug(name: str) -> Callable[[Lab], None]:
    """As a machine that died before anybody looked."""
    return lambda lab: lab.machines[name].cut_power()


DEFECTS = (
    Defect(
        "the bucket is missing",
        "single",
        symptoms=(
            Symptom(
                "V2", "The bucket is set up to keep versions", ("expected the bucket opentofu-state-storage", "10.1.0.101:9000", "none")
            ),
            Symptom("V2", "What was overwritten can be read back", ("expected opentofu-state-storage", "10.1.0.101:9000", "NoSuchBucket")),
            Symptom("V4", "Every other runner is refused", ("expected", "runner01", "NoSuchBucket")),
            Symptom("V5", "Each runner's change is seen by all others", ("expected", "runner01", "NoSuchBucket")),
            Symptom("S2", "An operator looks with mc", ("expected", "runner01", "NoSuchBucket")),
        ),
        healthy=("V1", "V6", "S1"),
        after_boot=remove_bucket,
    ),
    Defect(
        "versioning is suspended",
        "single",
        symptoms=(
            Symptom(
                "V2",
                "The bucket is set up to keep versions",
                ("expected versioning Enabled for opentofu-state-storage at 10.1.0.101:9000; observed Suspended",),
            ),
            Symptom("V2", "What was overwritten can be read back", ("expected", "opentofu-state-storage", "10.1.0.101:9000", "observed")),
            Symptom("S2", "An operator looks with mc", ("expected", "Enabled", "observed", "Suspended")),
        ),
        healthy=("V1", "V3", "V5"),
        after_boot=suspend_versioning,
    ),
    Defect(
        "one runner does not lock its state",
        "single",
        symptoms=(
            Symptom("V5", "All runners have the same backend settings", ("expected use_lockfile = true on runner03", "observed")),
            Symptom("V4", "Every other runner is refused", ("expected", "runner03", "observed")),
        ),
        healthy=("V1", "V2", "T3"),
        alter=only("runner03", lambda applied: applied.with_edit(BACKEND_SETTINGS, "use_lockfile                = true\n", "")),
    ),
    Defect(
        "one runner is in a workspace of its own",
        "single",
        symptoms=(
            Symptom("V5", "All runners have the same backend settings", ("runner02", "'default'", "observed", "'mine'")),
            Symptom("V5", "Each runner's change is seen by all others", ("expected", "runner02", "observed")),
        ),
        healthy=("V1", "V2", "S4"),
        alter=only(
            "runner02", lambda applied: applied.with_edit("/etc/environment", "TF_CLI_ARGS_init", "TF_WORKSPACE=mine\nTF_CLI_ARGS_init")
        ),
    ),
    Defect(
        "one runner is missing in the pool",
        "single",
        symptoms=(
            Symptom("S5", "Every balancer is set up soundly", ("expected runner02 in a pool of balancer01", "observed", "runner01")),
            Symptom("V6", "Every healthy runner is used, and each is who it says it is", ("expected runner02 to answer", "observed")),
        ),
        healthy=("V2", "V8", "S4"),
        alter=only("balancer01", lambda applied: applied.with_edit("/etc/haproxy/haproxy.cfg", "    server runner02 10.1.0.104:22\n", "")),
    ),
    Defect(
        "the runner endpoint is on another port",
        "single",
        symptoms=(
            Symptom("V8", "Jobs run one after another, on different runners", ("expected", "10.1.0.102:9000", "observed", "refused")),
            Symptom("V6", "Every healthy runner is used, and each is who it says it is", ("expected", "10.1.0.102:9000", "refused")),
            Symptom("V4", "The second runner is told who holds the lock", ("expected", "10.1.0.102:9000", "observed", "refused")),
            Symptom("T3", "The next job on another runner has nothing to do", ("expected", "10.1.0.102:9000", "observed", "refused")),
        ),
        healthy=("V2", "V5", "T1"),
        alter=only(
            "balancer01", lambda applied: applied.with_edit("/etc/haproxy/haproxy.cfg", "bind 10.1.0.102:9000", "bind 10.1.0.102:9022")
        ),
    ),
    Defect(
        "MinIO does not start at boot on one node",
        "production",
        symptoms=(
            Symptom("V1", "Every storage machine serves", ("expected minio.service to be enabled at boot on storage03", "observed")),
            Symptom("S1", "The service is set up to come back", ("expected minio.service to be enabled at boot on storage03", "observed")),
        ),
        healthy=("V2", "S5", "T3"),
        alter=only("storage03", lambda applied: applied.without_unit("minio.service")),
        after_boot=start_minio("storage03"),
    ),
    Defect(
        "one storage node is dead from the start",
        "production",
        symptoms=(
            Symptom("V1", "Every storage machine serves", ("expected", "storage02", "observed", "off")),
            Symptom("S1", "The service is set up to come back", ("expected", "storage02", "observed", "off")),
        ),
        healthy=("V2", "V5", "V6"),
        after_boot=pull_plug("storage02"),
    ),
)
"""Every one must be found. A line here is cheap: add one with every check."""

NO_SYSTEM = Defect(
    "one machine does not boot",
    "single",
    symptoms=(),
    healthy=(),
    alter=only("runner02", lambda applied: applied.with_files(File(INIT, "#!/bin/sh\necho no operating system found\nexit 1\n", 0o755))),
)
"""This one cannot be judged: nobody can say what such a lab would promise."""

BY_NAME = {defect.name: defect for defect in (*DEFECTS, NO_SYSTEM)}
