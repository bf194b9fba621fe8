"""What this host keeps of one lab on a cluster: OpenTofu's configuration and state, keys, and whose lab it is.

The folder outlives a run that was killed, and with it the knowledge of what was made.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from model.errors import BadInput, LabUnavailable
from model.topology import MachineSpec, Role, Topology
from provisioning import places
from provisioning.embedded.blueprint import new_credentials, register_secrets
from provisioning.embedded.ownership import KEPT, LOCK, Ownership, is_kept, is_owned
from provisioning.identities import HostAuthority, HostIdentity, create_login_key, write_private
from provisioning.proxmox.labfile import ProxmoxLabFile
from provisioning.proxmox.marks import run_name
from provisioning.roles.reference import Credentials

SOURCES = Path(__file__).parents[1] / "opentofu"
DESCRIPTION, CREDENTIALS = "lab.json", "credentials.json"
VARIABLES = "terraform.tfvars.json"
STATE = "terraform.tfstate"
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Workspace:
    """The folder of one lab."""

    folder: Path

    @property
    def name(self) -> str:
        """The lab's."""
        return self.folder.name

    @property
    def environment(self) -> Path:
        """Where OpenTofu runs."""
        return self.folder / "opentofu/environments" / str(self.description["environment"])

    @property
    def description(self) -> dict[str, Any]:
        """What the lab is.

        Raises:
            BadInput: There is no such lab.
        """
        try:
            found: dict[str, Any] = json.loads((self.folder / DESCRIPTION).read_text())
        except (OSError, ValueError) as error:
            raise BadInput(f"there is no lab {self.name!r} on Proxmox VE that was made from here ({self.folder})") from error
        return found

    @property
    def lab_file(self) -> Path:
        """The lab file it was made from."""
        return Path(self.description["lab_file"])

    @property
    def created(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.description["created"])

    @property
    def expires(self) -> datetime:
        """From when on anybody may remove it."""
        return datetime.strptime(self.description["expires"], MOMENT).replace(tzinfo=UTC)

    @property
    def prefix(self) -> str:
        """With which names of its VMs begin; empty where a run was killed before it wrote that down."""
        try:
            return str(json.loads((self.environment / VARIABLES).read_text())["prefix"])
        except (OSError, ValueError):
            return ""

    @property
    def has_state(self) -> bool:
        """Whether OpenTofu ever wrote down what it made; killed, it may leave an empty file."""
        state = self.environment / STATE
        return state.exists() and state.stat().st_size > 0

    @property
    def credentials(self) -> Credentials:
        """Keys of the state store."""
        found = Credentials(**json.loads((self.folder / CREDENTIALS).read_text()))
        register_secrets(found)
        return found

    @property
    def login_key(self) -> Path:
        """Private key that logs in to every machine."""
        return self.folder / "login"

    @property
    def public_key(self) -> str:
        """What goes with it."""
        return (self.folder / "login.pub").read_text().strip()

    @property
    def authority(self) -> HostAuthority:
        """The lab's host CA."""
        return HostAuthority.load(self.folder)

    @property
    def known_hosts(self) -> Path:
        """With it, OpenSSH recognises each machine and the runner endpoint."""
        return self.folder / "known_hosts"

    @property
    def first_contact(self) -> Path:
        """Host keys that machines showed when they booted for the first time."""
        return self.folder / "first_contact"

    def identity(self, machine: MachineSpec, topology: Topology) -> HostIdentity:
        """A new host key for a machine, signed."""
        names = {machine.name, machine.address}
        if Role.RUNNER in machine.roles:
            names.add(topology.runner_endpoint.host)
        return self.authority.issue(machine.name, sorted(names))

    def state(self) -> str:
        """Whose it is: `run`, `kept` or `nobody`."""
        if is_kept(self.folder):
            return "kept"
        return "run" if is_owned(self.folder) else "nobody"

    def forget(self) -> None:
        """Remove the folder, once nothing of the lab is left.

        Raises:
            LabUnavailable: It cannot be removed.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():
            raise LabUnavailable(f"{self.folder} could not be removed")


def create(file: ProxmoxLabFile, path: Path, topology: Topology, name: str) -> tuple[Workspace, Ownership]:
    """Make the folder of a lab, and own it.

    Args:
        file: The lab file.
        path: Where it is.
        topology: What it plans.
        name: Of the lab or run.

    Raises:
        BadInput: There is a lab of that name.
    """
    workspace = Workspace(places.clusters() / run_name(name))
    try:
        workspace.folder.mkdir(parents=True, mode=0o700)
    except FileExistsError as error:
        raise BadInput(
            f"a lab of the name {workspace.name!r} was made from here already ({workspace.state()}); take another name, or"
            f" `python -m provisioning down {workspace.name}`"
        ) from error
    owned = claim(workspace)
    now = datetime.now(UTC)
    expires = (now + timedelta(hours=file.hours)).strftime(MOMENT)
    shutil.copytree(SOURCES, workspace.folder / "opentofu", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "tests"))
    create_login_key(workspace.folder)
    authority = HostAuthority.create(workspace.folder)
    endpoint = topology.runner_endpoint
    addresses = [machine.address for machine in topology.machines]
    workspace.known_hosts.write_text(authority.known_hosts_line([*addresses, f"[{endpoint.host}]:{endpoint.port}"]))
    write_private(workspace.folder / CREDENTIALS, json.dumps(asdict(new_credentials())))
    described = {
        "lab_file": str(path.absolute()),
        "environment": file.environment,
        "created": now.isoformat(timespec="seconds"),
        "expires": expires,
        "endpoint": file.cluster.endpoint,
        "topology": file.topology,
    }
    (workspace.folder / DESCRIPTION).write_text(json.dumps(described, indent=1))
    variables = file.variables(workspace.name, expires, workspace.public_key)
    (workspace.environment / VARIABLES).write_text(json.dumps(variables, indent=1))
    return workspace, owned


def claim(workspace: Workspace) -> Ownership:
    """Own a lab for as long as this process lives.

    Raises:
        BadInput: A living process owns it.
    """
    descriptor = os.open(workspace.folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise BadInput(f"lab {workspace.name} belongs to a run that lives; end that run first") from error
    (workspace.folder / KEPT).unlink(missing_ok=True)
    return Ownership(workspace.folder, descriptor)


def workspaces() -> Iterator[Workspace]:
    """All labs on clusters that were made from this host, by name."""
    with contextlib.suppress(FileNotFoundError):
        for folder in sorted(places.clusters().iterdir()):
            if (folder / DESCRIPTION).exists() or (folder / LOCK).exists():
                yield Workspace(folder)
