"""The driver `embedded`: builds a lab on this host, finds one that is up, and removes it without a trace."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from model.errors import LabUnavailable
from model.lab import Fleet, Lab, LabDriver, Machine, PublishedKeys, Store
from model.topology import MachineSpec, Role, Topology
from provisioning.embedded import stores
from provisioning.embedded.blueprint import Blueprint, register_secrets
from provisioning.embedded.cgroups import Cgroup
from provisioning.embedded.container import Container, ContainerPlan
from provisioning.embedded.disk import Disk
from provisioning.embedded.host_limits import make_room
from provisioning.embedded.machine import EmbeddedMachine
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork
from provisioning.embedded.ownership import Ownership
from provisioning.embedded.removal import remove_everything
from provisioning.roles import Applied, guide
from provisioning.roles.reference import BACKEND_SETTINGS, BUCKET, MINIO_DATA

BOOT_ORDER = (Role.STORAGE, Role.RUNNER, Role.BALANCER)
"""A balancer that looks for the others before they are there takes them for dead: so it waits until the storage machines have booted."""

CALLED_FIRST = ("storage03", "storage02", "storage01", "storage04")
"""Of each two storage machines one calls the other: who, says a hash (XXH3) of their addresses (MinIO `internal/grid/connection.go`,
`shouldConnect`). Of the addresses of `production` each calls those before it. Who is called gets power first: who called in vain calls
again only 1 to 2 s later, and by then the other may have begun without its drive, to look again after 15 s."""

PROGRAMS = {"minio": Role.STORAGE, "tofu": Role.RUNNER, "mc": None}
"""Which machines have what every lab has; the operator's client is on none. What a lab is given beside them is on each."""

FORMAT = f"{MINIO_DATA}/{stores.FORMAT}"

Alteration = Callable[[MachineSpec, Applied], Applied]
"""A deviation from the reference configuration, for labs that are defective on purpose."""


def as_in_reference(_machine: MachineSpec, applied: Applied) -> Applied:
    """No deviation."""
    return applied


def _in_silence(_what: str) -> None:
    """Tell nobody."""


@dataclass
class EmbeddedDriver(LabDriver):
    """Builds labs from an image and a toolchain.

    Attributes:
        image: Root file system, read-only.
        programs: `minio`, `tofu` and `mc` by name.
        alter: Deviation from the reference configuration.
        fresh_store: Lay the state store out from nothing instead of from drives formatted earlier.
        tell: Is told what is being done, a few words each time.
    """

    image: Path
    programs: dict[str, Path]
    alter: Alteration = as_in_reference
    fresh_store: bool = False
    name: str = "embedded"
    ours: bool = True
    tell: Callable[[str], object] = _in_silence
    _owned: dict[str, Ownership] = field(default_factory=dict)

    def provision(self, topology: Topology, name: str) -> Lab:
        """Build a lab; see `LabDriver.provision`."""
        started = time.monotonic()
        store = stores.fresh(topology) if self.fresh_store else stores.formatted(topology, self.programs["minio"], self._build_store)
        prepared = time.monotonic()
        lab, _ = self._boot(topology, name, store, self.alter)
        lab.phases["store prepared"] = prepared - started
        if self.fresh_store:
            self.tell("setting the state store up")
            try:
                stores.set_up(LabNames(name).network, lab.store, store.credentials, self.programs["mc"])
            except BaseException:
                self._discard(name)
                raise
            lab.phases["store set up"] = time.monotonic() - prepared - lab.phases["layout"] - lab.phases["boot"]
        return lab

    def _boot(self, topology: Topology, name: str, store: stores.StoreDrives, alter: Alteration) -> tuple[Lab, list[EmbeddedMachine]]:
        names = LabNames(name)
        make_room(len(topology.machines))
        self._owned[name] = Ownership.claim(names.folder)
        try:
            blueprint = Blueprint(names.folder, topology, self.image, self.programs, store.credentials)
            blueprint.save()
            LabNetwork(names).create()
            machines = [_machine(spec, names, blueprint, _applying(blueprint, alter)) for spec in topology.machines]
            storage = [machine for machine in machines if machine.role is Role.STORAGE]
            together = bool(store.drives) and not topology.guide and _storage_is_as_in_reference(blueprint, alter)
            started = time.monotonic()
            layout = 0.0
            with contextlib.ExitStack() as waiting:
                for machine in sorted(machines, key=_in_boot_order):
                    if machine.role is Role.BALANCER:
                        for other in storage:
                            other.wait_until_booted()
                    self.tell(f"laying out {machine.name}")
                    before = time.monotonic()
                    machine.lay_out()
                    if machine.name in store.drives:
                        machine.disk.copy_in(store.drives[machine.name], MINIO_DATA)
                        if together:
                            machine.disk.remove(FORMAT)
                    layout += time.monotonic() - before
                    waiting.callback(machine.stop_waiting)
                    machine.start()
                for machine in machines:
                    self.tell(f"booting {machine.name}")
                    machine.wait_until_booted()
            _start_in_order(topology, storage)
        except BaseException:
            self._discard(name)
            raise
        lab, booted = _lab(names, blueprint, machines), time.monotonic()
        lab.phases.update(layout=layout, boot=booted - started - layout)
        if together:
            self.tell("waiting until the storage machines have found one another")
            stores.await_format(machine.disk.on_host(FORMAT) for machine in storage)
            lab.phases["store set up"] = time.monotonic() - booted
        return lab, machines

    def _build_store(self, topology: Topology, name: str, target: Path) -> stores.StoreDrives:
        """Format drives: boot the storage machines alone, set the store up, stop it cleanly, keep its drives."""
        alone = tuple(replace(machine, also=()) for machine in topology.of(Role.STORAGE))
        bare = Topology(topology.name, alone, storage_endpoint=topology.storage_endpoint, guide=topology.guide)
        drives = stores.fresh(bare)
        lab, machines = self._boot(bare, name, drives, as_in_reference)
        try:
            stores.set_up(LabNames(name).network, lab.store, drives.credentials, self.programs["mc"], machines[0].address)
            for machine in machines:
                machine.run("systemctl stop minio.service")
            for machine in machines:
                machine.disk.copy_out(MINIO_DATA, target / machine.name)
        finally:
            self._discard(name)
        return drives

    def attach(self, name: str) -> Lab:
        """Find a lab that is up (made by `up`, or kept).

        Raises:
            BadInput: There is none of that name.
        """
        return attach(name)

    def enter(self, lab: Lab) -> None:
        """Move the calling thread into the lab's network."""
        LabNetwork(LabNames(lab.name)).enter()

    def keep(self, lab: Lab) -> None:
        """Let the lab live on after this process."""
        self._owned.pop(lab.name).release(keep=True)

    def remove(self, lab: Lab) -> None:
        """Remove everything that belongs to the lab.

        Raises:
            LabUnavailable: Something of it could not be removed.
        """
        self._discard(lab.name)

    def _discard(self, name: str) -> None:
        remove_everything(LabNames(name))
        owned = self._owned.pop(name, None)
        if owned is not None:
            owned.release(keep=False)
        shutil.rmtree(LabNames(name).folder, ignore_errors=True)
        if LabNames(name).folder.exists():
            msg = f"{LabNames(name).folder} could not be removed"
            raise LabUnavailable(msg)


def attach(name: str) -> Lab:
    """Find a lab that is up, in whatever process.

    Raises:
        BadInput: There is none of that name.
    """
    names = LabNames(name)
    blueprint = Blueprint.load(names.folder)
    register_secrets(blueprint.credentials)
    return _lab(names, blueprint, [_machine(spec, names, blueprint, blueprint.apply) for spec in blueprint.topology.machines])


def _applying(blueprint: Blueprint, alter: Alteration) -> Callable[[MachineSpec], Applied]:
    return lambda spec: alter(spec, blueprint.apply(spec))


def _in_boot_order(machine: EmbeddedMachine) -> tuple[int, int]:
    return BOOT_ORDER.index(machine.role), CALLED_FIRST.index(machine.name) if machine.name in CALLED_FIRST else 0


def _storage_is_as_in_reference(blueprint: Blueprint, alter: Alteration) -> bool:
    """Whether every storage machine may be expected to come."""
    if alter is as_in_reference:
        return True
    planned = [(spec, blueprint.apply(spec)) for spec in blueprint.topology.of(Role.STORAGE)]
    return all(alter(spec, applied) == applied for spec, applied in planned)


def _start_in_order(plan: Topology, machines: Iterable[EmbeddedMachine]) -> None:
    """Where services of one machine want the same port: after a boot, at which chance decides."""
    if plan.first is not None:
        for machine in machines:
            machine.run(guide.in_order(plan))


def _machine(spec: MachineSpec, names: LabNames, blueprint: Blueprint, apply: Callable[[MachineSpec], Applied]) -> EmbeddedMachine:
    folder, cgroup, network = names.machine_folder(spec.name), Cgroup(names.cgroup(spec.name)), LabNetwork(names)
    disk = Disk(folder, blueprint.image)
    programs = {name: path for name, path in blueprint.programs.items() if PROGRAMS.get(name, spec.role) in spec.roles}
    plan = ContainerPlan(names.machine(spec.name), spec.name, disk.root, network.namespace_of(spec.name), folder, programs, cgroup)
    return EmbeddedMachine(spec, Container(plan), disk, network, cgroup, apply)


def _lab(names: LabNames, blueprint: Blueprint, machines: Iterable[EmbeddedMachine]) -> Lab:
    topology, credentials = blueprint.topology, blueprint.credentials
    by_name: dict[str, Machine] = {machine.name: machine for machine in machines}
    endpoint = topology.runner_endpoint
    place, keys = f"[{endpoint.host}]:{endpoint.port}", HostKeysOnDisk(names, topology)
    known_hosts = _first_met(place, keys) if topology.guide else blueprint.authority.known_hosts_line([place])
    fleet = Fleet(endpoint, blueprint.user, blueprint.login_key, PublishedKeys(known_hosts, keys))
    store = Store(topology.storage_endpoint, BUCKET, credentials.root_user, credentials.root_password)
    return Lab(names.lab, "embedded", topology, by_name, fleet, store, BACKEND_SETTINGS, blueprint.programs["mc"], names.folder)


def _first_met(place: str, keys: Mapping[str, str]) -> str:
    """What a client knows to which nothing was published: the key of the first runner that answered, which it took on trust."""
    return "".join(f"{place} {key}\n" for key in list(keys.values())[:1])


class HostKeysOnDisk(Mapping[str, str]):
    """Public host keys of the runners, read when asked for: a runner that was rebuilt has a new one."""

    def __init__(self, names: LabNames, topology: Topology) -> None:
        """List the runners."""
        self._names, self._runners = names, [runner.name for runner in topology.of(Role.RUNNER)]

    def __getitem__(self, name: str) -> str:
        """Read one runner's key."""
        return (self._names.machine_folder(name) / "root/etc/ssh/ssh_host_ed25519_key.pub").read_text().strip()

    def __iter__(self) -> Iterator[str]:
        """Names of the runners."""
        return iter(self._runners)

    def __len__(self) -> int:
        """Size of the fleet."""
        return len(self._runners)
