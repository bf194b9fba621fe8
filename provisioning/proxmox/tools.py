"""Programs of this host that make a lab on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning import toolchain
from provisioning.proxmox.api import Cluster
from provisioning.proxmox.mirror import make_mirror
from provisioning.proxmox.tofu import Tofu
from provisioning.proxmox.workspace import Workspace


@dataclass(frozen=True)
class Tools:
    """What is needed, all of it there.

    Attributes:
        tofu: OpenTofu: it makes VMs, and is copied to runners.
        provider: By which it does.
        minio: Copied to storage machines.
        mc: The operator's client, on this host.
    """

    tofu: Path
    provider: toolchain.Tool
    minio: Path
    mc: Path

    @property
    def for_machines(self) -> dict[str, Path]:
        """What machines get, by name."""
        return {"tofu": self.tofu, "minio": self.minio}

    def tofu_for(self, workspace: Workspace, cluster: Cluster) -> Tofu:
        """OpenTofu in the folder of a lab.

        Raises:
            LabUnavailable: The cluster does not answer.
            BadInput: The token is not where the lab file says.
        """
        configuration = make_mirror(workspace.folder, self.tofu, self.provider)
        settings = {
            "TF_CLI_CONFIG_FILE": str(configuration),
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_ARGS": "",
            "CHECKPOINT_DISABLE": "1",
            "TF_VAR_api_token": f"{cluster.entry.token_id}={cluster.secret}",
        }
        if cluster.trust.ca_file is not None:
            settings["SSL_CERT_FILE"] = str(cluster.trust.ca_file.absolute())
        return Tofu(workspace.environment, workspace.folder, self.tofu, settings, cluster.at_home)


def find(given: Mapping[str, Path | None] | None = None) -> Tools:
    """Find them; nothing is built.

    Args:
        given: Programs chosen by the user, by name (`minio`, `tofu`, `mc`).

    Raises:
        BadInput: A given program is something else.
        ToolMissing: One is not there; names the command that makes it.
        ToolTooOld: A given program cannot keep what is tested.
    """
    chosen = given or {}
    return Tools(
        toolchain.find(toolchain.TOFU, chosen.get("tofu")).path,
        toolchain.find(toolchain.PROVIDER),
        toolchain.find(toolchain.MINIO, chosen.get("minio")).path,
        toolchain.find(toolchain.MC, chosen.get("mc")).path,
    )
