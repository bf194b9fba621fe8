"""The driver `existing`: finds its way into a lab that somebody owns; makes nothing and removes nothing."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from model.errors import AcceptanceError, BadInput, LabUnavailable
from model.lab import Fleet, Lab, LabDriver, Machine, PublishedKeys, Store
from model.topology import Role, Topology
from probes.outcomes import Reached
from probes.ssh import knock
from probes.trust import context_for
from provisioning.existing.around import AroundDisruption
from provisioning.existing.channel import Settings, SshChannel, write_configuration
from provisioning.existing.hands import Hands
from provisioning.existing.host_keys import PublishedHostKeys
from provisioning.existing.labfile import LabFile
from provisioning.existing.machine import ExistingMachine
from provisioning.namespaces import NAMESPACES, enter_namespace, own_network
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.hands import VmHands
from provisioning.proxmox.machine import VmMachine

WITHIN = timedelta(seconds=10)


@dataclass
class ExistingDriver(LabDriver):
    """Connects to the lab of a file.

    Attributes:
        file: What the file says.
        path: Where it is.
        mc: The operator's client on this host; None where there is none.
    """

    file: LabFile
    path: Path
    mc: Path | None = None
    name: str = "existing"
    ours: bool = False
    _folder: Path | None = field(default=None, init=False)
    _network: int | None = field(default=None, init=False)
    _cluster: Cluster | None = field(default=None, init=False)

    @property
    def cluster(self) -> Cluster | None:
        """Where machines are VMs, asked from where the suite was started; None where the file names no cluster."""
        if self._cluster is None and self.file.proxmox is not None:
            self._cluster = Cluster(self.file.proxmox, self.path.absolute().parent)
        return self._cluster

    def provision(self, topology: Topology, name: str) -> Lab:  # noqa: ARG002 - the lab has a name
        """Connect; nothing is made.

        Raises:
            BadInput: A secret is not where the file says.
            LabUnavailable: There is no way in at all: neither a machine nor an endpoint answers.
        """
        lab = self.connect(topology)
        self.enter(lab)
        try:
            self._require_a_way_in(lab)
        except BaseException:
            self.remove(lab)
            raise
        return lab

    def connect(self, topology: Topology) -> Lab:
        """Describe the lab; nothing is asked of it yet. Where the file's commands run: the network that the calling thread is in now.

        Raises:
            BadInput: A secret is not where the file says.
        """
        self.remember_network()
        base, file = self.path.absolute().parent, self.file
        store = file.store
        access_key, secret_key = store.access_key.read("store.access_key", base), store.secret_key.read("store.secret_key", base)
        ca_file = None if store.ca_file is None else self._readable(base / store.ca_file)
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="tha-"))
        known_hosts = "" if file.fleet.host_ca is None else f"@cert-authority * {file.fleet.host_ca.strip()}\n"
        settings = Settings(self._folder, base, known_hosts)
        entries = {entry.name: entry for entry in file.machine}
        logins = {name: file.login_of(entry) for name, entry in entries.items()}
        configuration = write_configuration(settings, {name: (entries[name].address, login) for name, login in logins.items()})
        machines: dict[str, Machine] = {}
        for spec in topology.machines:
            login, number = logins[spec.name], entries[spec.name].vm
            channel = SshChannel(spec, login, configuration, settings.path(login.known_hosts))
            if number is not None and self.cluster is not None:
                machines[spec.name] = VmMachine(channel, VmHands(spec, self.cluster, number))
            else:
                machines[spec.name] = ExistingMachine(channel, Hands(spec, file.commands_of(entries[spec.name]), base, self._network))
        runners = {name: machine for name, machine in machines.items() if Role.RUNNER in machine.spec.roles}
        keys = PublishedHostKeys(runners, {name: settings.path(logins[name].known_hosts) for name in runners})
        for machine in runners.values():
            if isinstance(machine, ExistingMachine):
                machine.made_anew = keys.forget
        return Lab(
            file.name,
            self.name,
            topology,
            machines,
            Fleet(file.fleet.endpoint, file.fleet.user, base / file.fleet.private_key, PublishedKeys(self._published(base), keys)),
            Store(
                store.endpoint,
                store.bucket,
                access_key,
                secret_key,
                store.region,
                store.tls,
                ca_file,
                store.prefix,
                plain_nodes=store.node_tls is False,
            ),
            file.fleet.backend_settings,
            self.mc,
            self._folder,
        )

    @staticmethod
    def _readable(ca_file: Path) -> Path:
        """A file of certificates that can be read, or in words why not."""
        try:
            context_for(ca_file)
        except ssl.SSLError as error:
            raise BadInput(f"store.ca_file: {ca_file} holds no certificate in PEM form ({error.reason or error})") from error
        except OSError as error:
            raise BadInput(f"store.ca_file: {ca_file} cannot be read: {error.strerror}") from error
        return ca_file

    def _published(self, base: Path) -> str:
        fleet = self.file.fleet
        if fleet.known_hosts is not None:
            try:
                return (base / fleet.known_hosts).read_text(encoding="utf-8")
            except OSError as error:
                raise BadInput(f"fleet.known_hosts: {base / fleet.known_hosts} cannot be read: {error.strerror}") from error
        endpoint = fleet.endpoint
        return f"@cert-authority [{endpoint.host}]:{endpoint.port} {(fleet.host_ca or '').strip()}\n"

    def enter(self, lab: Lab) -> None:
        """Move the calling thread into the network namespace of the file, if it names one.

        Raises:
            LabUnavailable: There is no such namespace, or we may not enter it.
        """
        del lab
        if self.file.network_namespace is None:
            return
        try:
            with (NAMESPACES / self.file.network_namespace).open("rb") as namespace:
                enter_namespace(namespace.fileno())
        except OSError as error:
            msg = f"the network namespace {self.file.network_namespace} of the lab file cannot be entered: {error.strerror}"
            raise LabUnavailable(msg) from error

    def remember_network(self) -> None:
        """Keep the network in which the file's commands run: that of whoever starts the suite."""
        if self.file.network_namespace is not None and self._network is None:
            self._network = own_network()

    def around_disruption(self) -> AroundDisruption:
        """The file's commands before and after what disrupts; as of the last `connect`, for their network."""
        return AroundDisruption(self.file.around_disruption, self.path.absolute().parent, self._network)

    def _require_a_way_in(self, lab: Lab) -> None:
        def answers(machine: Machine) -> str:
            try:
                machine.run("true", timeout=WITHIN)
            except AcceptanceError as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(max_workers=16) as pool:
            refusals = list(pool.map(answers, lab.machines.values()))
        if all(refusals) and knock(lab.fleet.endpoint, WITHIN).reached is not Reached.ANSWERED:
            msg = f"no way into lab {lab.name}: nothing answers. For example: {refusals[0]}. See: python -m provisioning check {self.path}"
            raise LabUnavailable(msg)

    def keep(self, lab: Lab) -> None:
        """It lives on anyway."""
        self.remove(lab)

    def remove(self, lab: Lab) -> None:
        """Close all connections, and remove what was kept about them on this host."""
        for machine in lab.machines.values():
            if isinstance(machine, ExistingMachine):
                machine.channel.drop()
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
