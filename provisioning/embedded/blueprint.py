"""What an embedded lab was made from: written beside it, so that another process can find its way in."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from model.errors import BadInput
from model.secrets import SECRETS
from model.topology import MachineSpec, Role, Topology, topology
from provisioning.identities import HostAuthority, create_login_key, write_private
from provisioning.roles import Applied, guide
from provisioning.roles.reference import PIPELINE_USER, Credentials, LabFacts, reference

FILE = "lab.json"


@dataclass
class Blueprint:
    """Ingredients of one lab.

    Attributes:
        folder: The lab's folder.
        topology: The plan.
        image: Root file system that machines start from.
        programs: Programs that Debian does not ship, by name.
        credentials: Keys of the state store.
        created: Seconds since the epoch.
    """

    folder: Path
    topology: Topology
    image: Path
    programs: dict[str, Path]
    credentials: Credentials
    created: float = field(default_factory=time.time)

    def save(self) -> None:
        """Write it, its host CA, its login key and a `known_hosts` for every address into the lab's folder."""
        authority = HostAuthority.create(self.folder)
        endpoint = self.topology.runner_endpoint
        addresses = [machine.address for machine in self.topology.machines]
        self.known_hosts.write_text(authority.known_hosts_line([*addresses, f"[{endpoint.host}]:{endpoint.port}"]))
        create_login_key(self.folder)
        data = {
            "topology": self.topology.name,
            "runners": sum(machine.role == "runner" for machine in self.topology.machines),
            "image": str(self.image),
            "programs": {name: str(path) for name, path in self.programs.items()},
            "credentials": asdict(self.credentials),
            "created": self.created,
        }
        write_private(self.folder / FILE, json.dumps(data, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Blueprint:
        """Read what `save` wrote.

        Raises:
            BadInput: There is no lab of that name.
        """
        try:
            data = json.loads((folder / FILE).read_text())
        except (FileNotFoundError, json.JSONDecodeError) as error:
            msg = f"there is no embedded lab of the name {folder.name!r}; `python -m provisioning list` shows those that are up"
            raise BadInput(msg) from error
        plan = topology(data["topology"], data["runners"])
        programs = {name: Path(path) for name, path in data["programs"].items()}
        return cls(folder, plan, Path(data["image"]), programs, Credentials(**data["credentials"]), data["created"])

    @property
    def authority(self) -> HostAuthority:
        """The lab's host CA."""
        return HostAuthority.load(self.folder)

    @property
    def login_key(self) -> Path:
        """Private key that logs in to every machine."""
        return self.folder / "login"

    @property
    def known_hosts(self) -> Path:
        """With it, OpenSSH recognises each machine and the runner endpoint."""
        return self.folder / "known_hosts"

    def apply(self, machine: MachineSpec) -> Applied:
        """The reference configuration for a machine, or the guide's, with a host key that is new each time."""
        names = {machine.name, machine.address}
        if machine.role is Role.RUNNER:
            names.add(self.topology.runner_endpoint.host)
        identity = self.authority.issue(machine.name, sorted(names))
        facts = LabFacts(self.topology, self.credentials, (self.folder / "login.pub").read_text().strip(), pipeline_user=self.user)
        return guide.as_written(machine, facts, identity) if self.topology.guide else reference(machine, facts, identity)

    @property
    def user(self) -> str:
        """Whose account pipelines use on runners."""
        return guide.USER if self.topology.guide else PIPELINE_USER


def credentials_for(plan: Topology) -> Credentials:
    """Keys for a new state store: fresh ones, or those that the guide prints."""
    if not plan.guide:
        return new_credentials()
    register_secrets(guide.CREDENTIALS)
    return guide.CREDENTIALS


def new_credentials() -> Credentials:
    """Fresh keys for a state store, registered as secrets.

    Letters and digits alone: a secret that begins with a dash is an option to `mc admin user add`, which wants it as an argument.
    """
    password, runner = SECRETS.register(secrets.token_hex(16)), SECRETS.register(secrets.token_hex(16))
    return Credentials(f"admin-{secrets.token_hex(4)}", password, runner_secret=runner)


def register_secrets(credentials: Credentials) -> None:
    """Have the secrets of a store that was made earlier masked."""
    SECRETS.register(credentials.root_password)
    SECRETS.register(credentials.runner_secret)
