"""A file system mirror of the one provider that is needed, so that `tofu init` asks no registry."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from model.errors import ToolMissing
from provisioning.toolchain import PROVIDER, Tool

SOURCE = "bpg/proxmox"
NEEDS_IT = 'terraform {\n  required_providers {\n    proxmox = { source = "%s" }\n  }\n}\n' % SOURCE  # noqa: UP031 - braces
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CONFIGURATION = "tofu.rc"
TOO_LONG_SECONDS = 60


def make_mirror(folder: Path, tofu: Path, provider: Tool) -> Path:
    """Make a mirror of the provider, and a configuration of OpenTofu's command line that uses it and nothing else.

    Args:
        folder: Where; what is there is kept.
        tofu: OpenTofu; it knows by which address it looks for the provider.
        provider: As it was built or found.

    Returns:
        The configuration: for `TF_CLI_CONFIG_FILE`.

    Raises:
        ToolMissing: OpenTofu does not say what it looks for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / CONFIGURATION
    configuration.write_text("")
    address = _address(tofu, configuration)
    version = PROVIDER.pinned
    system = f"linux_{ARCHITECTURES.get(platform.machine(), platform.machine())}"
    target = folder / "mirror" / address / version / system / f"{provider.program.name}_v{version}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(provider.path, target)
    mirror = folder / "mirror"
    configuration.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return configuration


def _address(tofu: Path, configuration: Path) -> str:
    """Where OpenTofu looks for the provider: registry's host and name, as it tells them itself."""
    with tempfile.TemporaryDirectory(prefix="tofu-ha-") as folder:
        (Path(folder) / "main.tf").write_text(NEEDS_IT)
        done = subprocess.run(
            [tofu, f"-chdir={folder}", "providers"],
            capture_output=True,
            text=True,
            check=False,
            timeout=TOO_LONG_SECONDS,
            env={**os.environ, "TF_CLI_CONFIG_FILE": str(configuration), "TF_CLI_ARGS": ""},
        )
    found = re.search(rf"provider\[(\S+/{SOURCE})\]", done.stdout)
    if found is None:
        raise ToolMissing(f"{tofu} does not say where it looks for the provider {SOURCE}: {(done.stderr or done.stdout).strip()}")
    return found[1]


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; a copy where that is on another disk."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
