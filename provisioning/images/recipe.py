"""What an image is made of, and where it is once it was made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from model.errors import ToolMissing
from provisioning import places
from provisioning.commands import SETUP_COMMAND, SETUP_EXTRA

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
    "iputils-ping",
    "jq",
    "procps",
    "socat",
    "sudo",
)
FOR_MOTO = (
    "python3-boto3",
    "python3-cryptography",
    "python3-flask",
    "python3-flask-cors",
    "python3-responses",
    "python3-xmltodict",
    "python3-yaml",
)
"""What moto's server runs on: Python, and everything that it imports for S3, as Debian ships it."""
HOOK = Path(__file__).parent / "customize.sh"


@dataclass(frozen=True)
class Recipe:
    """Ingredients of an image; any change makes another image.

    Attributes:
        suite: Debian release.
        variant: mmdebstrap's variant: what is there beside the packages.
        packages: What is installed.
        hook: Script that mmdebstrap runs on the root file system in the end.
        wheels: Python packages that Debian does not ship, without what they need: a file of requirements with hashes.
        extra: The word that asks for it (`setup --with`); empty for what everybody needs.
    """

    suite: str = "bookworm"
    variant: str = "minbase"
    packages: tuple[str, ...] = PACKAGES
    hook: Path = HOOK
    wheels: Path | None = None
    extra: str = ""

    @property
    def digest(self) -> str:
        """Changes with every ingredient; not with the mirror's newest security fixes, which come with the next build."""
        ingredients = [self.suite, self.variant, ",".join(sorted(self.packages)), self.hook.read_text()]
        if self.wheels is not None:
            ingredients.append(self.wheels.read_text())
        return hashlib.sha256("\0".join(ingredients).encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        """Where this image is kept."""
        return images_folder() / self.digest

    @property
    def rootfs(self) -> Path:
        """The root file system in it."""
        return self.folder / "rootfs"

    @property
    def setup(self) -> str:
        """The command that makes it."""
        return f"{SETUP_EXTRA} {self.extra}" if self.extra else SETUP_COMMAND


RECIPE = Recipe()
WITH_MOTO = Recipe(packages=(*PACKAGES, *FOR_MOTO), wheels=Path(__file__).parents[2] / "requirements" / "moto.txt", extra="other-stores")
"""For a lab whose store is moto, which looks like S3 and lets several conditional writes pass that come at once."""


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
        msg = f"the machine image is not there ({recipe.rootfs}); run `{recipe.setup}` once, as root"
        raise ToolMissing(msg)
    return recipe.rootfs
