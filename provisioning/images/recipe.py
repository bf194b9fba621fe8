"""What the image is made of, and where it is once it was made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from model.errors import ToolMissing
from provisioning import places
from provisioning.commands import SETUP_COMMAND

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "iproute2",
    "iptables",
    "nftables",
    "haproxy",
    "keepalived",
    "git",
    "ca-certificates",
    "curl",
    "jq",
    "procps",
    "socat",
    "sudo",
)
HOOK = Path(__file__).parent / "customize.sh"


@dataclass(frozen=True)
class Recipe:
    """Ingredients of an image; any change makes another image.

    Attributes:
        suite: Debian release.
        variant: mmdebstrap's variant: what is there beside the packages.
        packages: What is installed.
        hook: Script that mmdebstrap runs on the root file system in the end.
    """

    suite: str = "bookworm"
    variant: str = "minbase"
    packages: tuple[str, ...] = PACKAGES
    hook: Path = HOOK

    @property
    def digest(self) -> str:
        """Changes with every ingredient; not with the mirror's newest security fixes, which come with the next build."""
        text = "\0".join((self.suite, self.variant, ",".join(sorted(self.packages)), self.hook.read_text()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        """Where this image is kept."""
        return images_folder() / self.digest

    @property
    def rootfs(self) -> Path:
        """The root file system in it."""
        return self.folder / "rootfs"


RECIPE = Recipe()


def images_folder() -> Path:
    """Where all images are kept."""
    return places.cache() / "images"


def find(recipe: Recipe = RECIPE) -> Path:
    """Find the image; never builds.

    Returns:
        The root file system; to be used as the read-only lower layer of an overlay.

    Raises:
        ToolMissing: It was not made yet, or not from these ingredients; the message names the command that makes it.
    """
    if not recipe.rootfs.is_dir():
        msg = f"the machine image is not there ({recipe.rootfs}); run `{SETUP_COMMAND}` once, as root"
        raise ToolMissing(msg)
    return recipe.rootfs
