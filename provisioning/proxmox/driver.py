"""The driver `proxmox`: labs as VMs of a cluster, made by OpenTofu, given their roles over SSH, and removed again."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar

from model.errors import LabUnavailable, MachineDidNotBoot
from model.lab import Fleet, Lab, LabDriver, Machine, PublishedKeys, Store
from model.topology import MachineSpec, Role, Topology
from provisioning.embedded import stores
from provisioning.embedded.ownership import Ownership
from provisioning.existing.channel import Settings, SshChannel, write_configuration
from provisioning.existing.host_keys import PublishedHostKeys
from provisioning.existing.labfile import Login
from provisioning.namespaces import NAMESPACES, enter_namespace, in_network
from provisioning.proxmox import preflight, removal, snapshots
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.first_contact import FirstContact
from provisioning.proxmox.hands import VmHands
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.machine import VmMachine
from provisioning.proxmox.making import make_vms, numbers_of
from provisioning.proxmox.tofu import ApplyFailed, Tofu
from provisioning.proxmox.tools import Tools
from provisioning.proxmox.workspace import Workspace, create
from provisioning.roles.reference import BACKEND_SETTINGS, BUCKET, PIPELINE_USER, LabFacts

T = TypeVar("T")


@dataclass
class ProxmoxDriver(LabDriver):
    """Makes labs on a cluster.

    Attributes:
        file: The lab file.
        path: Where it is.
        tools: Programs of this host.
        tell: Is told what is being done, a few words each time.
    """

    file: ProxmoxLabFile
    path: Path
    tools: Tools
    tell: Callable[[str], object] = field(default=lambda _what: None)
    name: str = "proxmox"
    ours: bool = True
    _cluster: Cluster | None = field(default=None, init=False)
    _owned: dict[str, Ownership] = field(default_factory=dict, init=False)
    _folders: dict[str, Path] = field(default_factory=dict, init=False)

    @property
    def cluster(self) -> Cluster:
        """The cluster, asked from where the suite was started."""
        if self._cluster is None:
            self._cluster = Cluster(self.file.cluster, self.path.absolute().parent)
        return self._cluster

    def provision(self, topology: Topology, name: str) -> Lab:
        """Build a lab.

        Raises:
            LabUnavailable: It could not be built. Where some machines came and others did not, those that came are kept, and the
                message says how to look at them and how to remove them; else nothing is left.
            UnsafeLab: The token lacks a right, or something that is not ours is in the way.
        """
        cluster = self.cluster
        removal.sweep_own(cluster, self.file, self.tools, self.tell)
        self.tell("looking at the cluster")
        preflight.require(cluster, self.file, topology)
        workspace, owned = create(self.file, self.path, topology, name)
        self._owned[workspace.name] = owned
        lab: Lab | None = None
        try:
            tofu = self._tofu(workspace)
            started = time.monotonic()
            numbers = make_vms(tofu, workspace, topology, self.file.parallel, self.tell)
            applied = time.monotonic()
            lab = self._lab(workspace, topology, numbers)
            lab.phases["apply"] = applied - started
            made = lab
            self._inside(lambda: self._furnish(made, workspace))
        except (MachineDidNotBoot, ApplyFailed) as error:
            self._close(workspace.name)
            if not self._survivors(workspace):
                self._discard(workspace)
                raise
            self._owned.pop(workspace.name).release(keep=True)
            raise _with_help(error, workspace, self.file.placement.user) from error
        except BaseException:
            self._discard(workspace)
            raise
        return lab

    def _survivors(self, workspace: Workspace) -> list[str]:
        return [vm.name for vm in removal.of_run(self.cluster, workspace.name, self.file.prefix) if vm.running]

    def _furnish(self, lab: Lab, workspace: Workspace) -> None:
        """Boots, roles, store, snapshots; in the lab's network."""
        started = time.monotonic()
        contact = self._contact(workspace, lab.topology)
        self.tell("waiting until machines boot")
        silent = contact.await_boot(list(lab.topology.machines))
        lab.phases["boot"] = time.monotonic() - started
        if silent:
            came = [name for name in lab.machines if name not in silent]
            raise MachineDidNotBoot(f"{'; '.join(silent.values())}. {', '.join(came) or 'No machine'} did boot")
        started = time.monotonic()
        contact.apply([*lab.topology.of(Role.STORAGE), *lab.topology.of(Role.RUNNER)])
        lab.phases["roles"] = time.monotonic() - started
        started = time.monotonic()
        self.tell("setting the state store up")
        stores.set_up(None, lab.store, workspace.credentials, self.tools.mc, lab.storage[0].address)
        lab.phases["store set up"] = time.monotonic() - started
        started = time.monotonic()
        contact.apply(list(lab.topology.of(Role.BALANCER)))
        lab.phases["roles"] += time.monotonic() - started
        for machine in lab.machines.values():
            machine.run("true")
        if self.file.snapshots:
            started = time.monotonic()
            self.tell("keeping the disks as they are (snapshots)")
            snapshots.keep_disks(lab)
            lab.phases["snapshots"] = time.monotonic() - started

    def _contact(self, workspace: Workspace, topology: Topology) -> FirstContact:
        facts = LabFacts(topology, workspace.credentials, workspace.public_key)
        return FirstContact(
            workspace,
            facts,
            self.file.placement.user,
            self._folder(workspace.name, "first"),
            self.tools.for_machines,
            timedelta(minutes=self.file.boot_minutes),
            self.tell,
        )

    def _folder(self, name: str, part: str) -> Path:
        """For connections: private, and short enough for sockets."""
        if name not in self._folders:
            self._folders[name] = Path(tempfile.mkdtemp(prefix="tha-"))
        folder = self._folders[name] / part
        folder.mkdir(exist_ok=True)
        return folder

    def _tofu(self, workspace: Workspace) -> Tofu:
        return self.tools.tofu_for(workspace, self.cluster)

    def _lab(self, workspace: Workspace, topology: Topology, numbers: Mapping[str, int]) -> Lab:
        folder, credentials = self._folder(workspace.name, "control"), workspace.credentials
        login = Login(user="root", private_key=workspace.login_key, known_hosts=workspace.known_hosts)
        logins = {spec.name: (spec.address, login) for spec in topology.machines}
        configuration = write_configuration(Settings(folder, workspace.folder), logins)
        machines: dict[str, Machine] = {}
        for spec in topology.machines:
            anew = self._rebuilding(workspace, topology, spec)
            hands = VmHands(spec, self.cluster, numbers[spec.name], workspace.name, anew)
            machines[spec.name] = VmMachine(SshChannel(spec, login, configuration), hands)
        runners = {name: machine for name, machine in machines.items() if machine.role is Role.RUNNER}
        keys = PublishedHostKeys(runners, {})
        for machine in runners.values():
            if isinstance(machine, VmMachine):
                machine.made_anew = keys.forget
        endpoint = topology.runner_endpoint
        known_hosts = workspace.authority.known_hosts_line([f"[{endpoint.host}]:{endpoint.port}"])
        return Lab(
            workspace.name,
            self.name,
            topology,
            machines,
            Fleet(endpoint, PIPELINE_USER, workspace.login_key, PublishedKeys(known_hosts, keys)),
            Store(topology.storage_endpoint, BUCKET, credentials.root_user, credentials.root_password),
            BACKEND_SETTINGS,
            self.tools.mc,
            workspace.folder,
        )

    def _rebuilding(self, workspace: Workspace, topology: Topology, spec: MachineSpec) -> Callable[[], int]:
        """How to make one machine anew: its VM by OpenTofu, then its role."""

        def rebuild() -> int:
            address = f'module.{spec.role.value}["{spec.name}"].proxmox_virtual_environment_vm.this'
            numbers = make_vms(self._tofu(workspace), workspace, topology, self.file.parallel, self.tell, replace=address)
            contact = self._contact(workspace, topology)
            if silent := contact.await_boot([spec]):
                raise MachineDidNotBoot(silent[spec.name])
            contact.apply([spec])
            if self.file.snapshots:
                with contextlib.suppress(LabUnavailable):
                    VmHands(spec, self.cluster, numbers[spec.name], workspace.name).snapshot()
            return numbers[spec.name]

        return rebuild

    def attach(self, name: str) -> Lab:
        """Find a lab that was made from here, in whatever process.

        Raises:
            BadInput: There is none of that name.
            LabUnavailable: It was never finished.
        """
        workspace = removal.workspace_of(name)
        topology = self.file.plan()
        return self._lab(workspace, topology, numbers_of(self._tofu(workspace), topology))

    def reset(self, lab: Lab) -> bool:
        """Go back to the machines as they came, by their snapshots.

        Returns:
            Whether that was possible; else the lab has to be made anew.
        """
        return self.file.snapshots and snapshots.go_back(lab, self.tell)

    def enter(self, lab: Lab) -> None:
        """Move the calling thread to where the lab's addresses are known.

        Raises:
            LabUnavailable: The network namespace of the file is not there.
        """
        del lab
        self.enter_network()

    def enter_network(self) -> None:
        """Move the calling thread to where the file's addresses are known.

        Raises:
            LabUnavailable: The network namespace of the file is not there.
        """
        if self.file.network_namespace is not None:
            with self._network() as network:
                enter_namespace(network.fileno())

    def _inside(self, work: Callable[[], T]) -> T:
        """Do something where the lab's addresses are known; the caller stays where it is."""
        if self.file.network_namespace is None:
            return work()
        with self._network() as network:
            return in_network(network.fileno(), work)

    def _network(self) -> BinaryIO:
        _ = self.cluster  # it is known here, and not there
        try:
            return (NAMESPACES / str(self.file.network_namespace)).open("rb")
        except OSError as error:
            msg = f"the network namespace {self.file.network_namespace} of the lab file cannot be entered: {error.strerror}"
            raise LabUnavailable(msg) from error

    def keep(self, lab: Lab) -> None:
        """Let the lab live on after this process, until it expires."""
        self._close(lab.name, lab)
        if owned := self._owned.pop(lab.name, None):
            owned.release(keep=True)

    def remove(self, lab: Lab) -> None:
        """Remove everything that belongs to the lab.

        Raises:
            LabUnavailable: Something of it could not be removed; it is named.
        """
        self._close(lab.name, lab)
        self._discard(removal.workspace_of(lab.name))

    def _discard(self, workspace: Workspace) -> None:
        self._close(workspace.name)
        removal.remove(workspace, self.cluster, self.tools, self.tell)
        if owned := self._owned.pop(workspace.name, None):
            owned.release(keep=False)
        workspace.forget()

    def _close(self, name: str, lab: Lab | None = None) -> None:
        for machine in lab.machines.values() if lab else ():
            if isinstance(machine, VmMachine):
                machine.channel.drop()
        if folder := self._folders.pop(name, None):
            shutil.rmtree(folder, ignore_errors=True)


def _with_help(error: LabUnavailable, workspace: Workspace, user: str) -> LabUnavailable:
    """The same with what can be done about the machines that came."""
    log_in = f"ssh -i {workspace.login_key} {user}@ADDRESS"
    return type(error)(
        f"{error}; what was made is kept until {workspace.expires:%d %b %H:%M} UTC. Look at it ({log_in}, or its console in Proxmox VE),"
        f" then remove it: python -m provisioning down {workspace.name}"
    )
