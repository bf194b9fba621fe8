# SPDX-License-Identifier: AGPL-3.0-or-later
"""One rehearsal: a cluster that answers, a network in which its machines are, and the lab file that a run is given."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import HostUnfit
from provisioning import hostcheck, images
from provisioning.embedded.host_limits import make_room
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork
from provisioning.embedded.ownership import Ownership
from provisioning.embedded.removal import remove_lab
from provisioning.identities import write_private
from tests.rehearsal.cluster import RehearsalCluster
from tests.rehearsal.guests import EmbeddedGuests, Guests
from tests.rehearsal.serving import BRIDGE, NODES, POOL, STORAGE, TEMPLATE, TOKEN_ID, Serving, serve

MACHINES_MAX = 20
WHAT = "a stand-in of Proxmox VE to rehearse with"
LAB_FILE = """# The lab of a rehearsal; see tests/rehearsal/README.md.
version = 1
driver = "proxmox"
name = "{name}"
topology = "{topology}"
parallel = 4
boot_minutes = {boot_minutes}
{network}
[cluster]
endpoint = "{endpoint}"
token_id = "{token_id}"
token = {{ file = "token" }}
ca_file = "{ca_file}"

[placement]
nodes = [{nodes}]
template = {template}
template_node = "{first}"
datastore = "{storage}"
bridge = "{bridge}"
gateway = "10.1.0.1"
pool = "{pool}"
"""


@dataclass(frozen=True)
class Rehearsal:
    """What a run is given.

    Attributes:
        serving: The cluster.
        folder: Where lab files are, and what runs keep of their labs.
        network: Network namespace in which machines are; empty where there are none.
    """

    serving: Serving
    folder: Path
    network: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """For programs that make labs here: what they keep goes with the rehearsal."""
        return {**os.environ, "XDG_STATE_HOME": str(self.state)}

    @property
    def state(self) -> Path:
        """In place of `~/.local/state`."""
        return self.folder / "state"

    def lab_file(self, topology: str = "production", name: str = "pve-lab", *, boot_minutes: float = 2) -> Path:
        """Write a lab file for this cluster.

        Args:
            topology: `single` or `production`.
            name: Of labs that are made by hand.
            boot_minutes: How long a machine may take to boot.
        """
        text = LAB_FILE.format(
            name=name,
            topology=topology,
            boot_minutes=boot_minutes,
            network=f'network_namespace = "{self.network}"\n' if self.network else "",
            endpoint=self.serving.endpoint,
            token_id=TOKEN_ID,
            ca_file=self.serving.ca_file,
            nodes=", ".join(f'"{node}"' for node in NODES),
            template=TEMPLATE,
            first=NODES[0],
            storage=STORAGE,
            bridge=BRIDGE,
            pool=POOL,
        )
        write_private(self.folder / "token", self.serving.secret)
        path = self.folder / f"{topology}.toml"
        path.write_text(text)
        return path

    def vms(self) -> list[str]:
        """Names of all VMs but the template."""
        return self.serving.do(lambda cluster: sorted(vm.name for vm in cluster.vms if not vm.template))


@contextlib.contextmanager
def on_paper(folder: Path, guests: Guests | None = None) -> Iterator[Rehearsal]:
    """A cluster whose VMs are entries in a list: no root, no machine."""
    serving = serve(RehearsalCluster(guests or Guests()), folder / "tls")
    try:
        yield Rehearsal(serving, folder)
    finally:
        serving.stop()


@contextlib.contextmanager
def with_machines(name: str, guests: type[EmbeddedGuests] = EmbeddedGuests) -> Iterator[Rehearsal]:
    """A cluster with a machine behind each VM; all of it goes with the body, and `sweep` finds it where nobody could remove it.

    Args:
        name: Like a lab's: of namespaces, control groups and the folder.
        guests: What stands behind the VMs.

    Raises:
        HostUnfit: Embedded machines cannot be had here; names the remedy.
        BadInput: There is something of that name.
        ToolMissing: The machine image is not there.
    """
    lacking = [finding for finding in hostcheck.essentials() if not finding.ok]
    if lacking:
        raise HostUnfit(f"a rehearsal needs embedded machines: {lacking[0].name}: {lacking[0].found}; {lacking[0].remedy}")
    names, image = LabNames(name), images.find()
    make_room(MACHINES_MAX)
    owned = Ownership.claim(names.folder, WHAT)
    try:
        LabNetwork(names).create()
        folder = names.folder / "cluster"
        serving = serve(RehearsalCluster(guests(names, image)), folder)
        try:
            yield Rehearsal(serving, folder, names.network)
        finally:
            serving.stop()
    finally:
        remove_lab(names)
        owned.release(keep=False)
