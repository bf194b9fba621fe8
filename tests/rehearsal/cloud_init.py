# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a VM's first boot makes of the cloud-init data that the API was given: name, address, account, keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from provisioning.roles import Applied, File

ADDRESS = re.compile(r"ip=([\d.]+)/(\d+)")
CARD = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
DOWN = "link_down=1"


@dataclass(frozen=True)
class CloudInit:
    """The data of one VM.

    Attributes:
        name: Host name.
        address: Of its network card; empty where none was given.
        prefix: Length of the network's prefix.
        user: Account that is made, with sudo.
        keys: Who may log in to it.
    """

    name: str
    address: str
    prefix: int
    user: str
    keys: str

    @classmethod
    def of(cls, name: str, config: Mapping[str, Any]) -> CloudInit:
        """Read it from a VM's settings (`ipconfig0`, `ciuser`, `sshkeys`)."""
        found = ADDRESS.search(str(config.get("ipconfig0", "")))
        return cls(
            name,
            found[1] if found else "",
            int(found[2]) if found else 0,
            str(config.get("ciuser", "root")),
            unquote(str(config.get("sshkeys", ""))).strip(),
        )

    def applied(self) -> Applied:
        """Files that cloud-init leaves on a machine."""
        home = "/root" if self.user == "root" else f"/home/{self.user}"
        return Applied(enabled=("ssh.service",), users=(self.user,)).with_files(
            File("/etc/hostname", f"{self.name}\n"),
            File("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n"),
            File(f"{home}/.ssh/authorized_keys", f"{self.keys}\n", 0o600, self.user),
            File("/etc/sudoers.d/90-cloud-init-users", f"{self.user} ALL=(ALL) NOPASSWD:ALL\n", 0o440),
        )


def hardware_of(config: Mapping[str, Any]) -> str:
    """Hardware address of a VM's first network card."""
    found = CARD.search(str(config.get("net0", "")))
    return found[0].lower() if found else ""


def is_plugged_in(config: Mapping[str, Any]) -> bool:
    """Whether the link of a VM's first network card is up."""
    return "net0" in config and DOWN not in str(config["net0"]).split(",")
