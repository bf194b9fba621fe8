"""A machine's disk: the image below, what the machine writes above (overlayfs), and drives with file systems of their own."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from model.errors import LabUnavailable
from provisioning.embedded.commands import run
from provisioning.roles import Applied

log = logging.getLogger(__name__)
UNITS = Path("/etc/systemd/system")
PACKAGED_UNITS = Path("/lib/systemd/system")
WANTS = UNITS / "multi-user.target.wants"
DRIVE_MIB = 1024
"""Of each drive, as it sees itself; on the host it takes what was written to it."""

MAKE_FILE_SYSTEM = ("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard")
"""No journal: a machine that loses its power does not take the host's page cache with it. 20 ms."""


class Disk:
    """Disk of one machine."""

    def __init__(self, folder: Path, image: Path) -> None:
        """Name its folder and the image it starts from."""
        self.folder, self._image = folder, image

    @property
    def root(self) -> Path:
        """Where the machine's file system is mounted."""
        return self.folder / "root"

    @property
    def exists(self) -> bool:
        """Whether it was made."""
        return (self.folder / "upper").is_dir()

    def create(self, layer: Path | None = None) -> None:
        """Make an upper layer and mount it over the image.

        Args:
            layer: What `keep` kept; an empty one, unless given.
        """
        for name in ("work", "root") if layer else ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        if layer:
            run("cp", "--archive", str(layer), str(self.folder / "upper"))
        options = f"lowerdir={self._image},upperdir={self.folder}/upper,workdir={self.folder}/work"
        run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))

    def destroy(self) -> None:
        """Unmount and delete everything that the machine ever wrote."""
        run("umount", "-l", str(self.root), check=False)
        for name in ("upper", "work", "root", "drives"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def keep(self, layer: Path) -> None:
        """Copy what the machine ever wrote; it must stand still meanwhile."""
        shutil.rmtree(layer, ignore_errors=True)
        layer.parent.mkdir(parents=True, exist_ok=True)
        run("cp", "--archive", str(self.folder / "upper"), str(layer))

    def has_drives(self) -> bool:
        """Whether a drive of the machine has a file system of its own; a host without loop devices cannot give it one."""
        return (self.folder / "drives").is_dir()

    def _attach_drives(self, points: tuple[str, ...]) -> None:
        for point in points:
            image = self.folder / "drives" / point.strip("/").replace("/", "-")
            image.parent.mkdir(exist_ok=True)
            with image.open("wb") as file:
                file.truncate(DRIVE_MIB << 20)
            target = self.on_host(point)
            target.mkdir(parents=True, exist_ok=True)
            try:
                run(*MAKE_FILE_SYSTEM, str(image))
                run("mount", "-o", "loop", str(image), str(target))
            except LabUnavailable as error:
                log.info("no drive of its own at %s: %s", target, error)
                shutil.rmtree(image.parent)
                return
            (target / "lost+found").rmdir()

    def write(self, applied: Applied) -> None:
        """Attach a role's drives, and put its files and boot-time units onto the disk."""
        self._attach_drives(applied.drives)
        owners = self._owners()
        for file in applied.files.values():
            target = self.on_host(file.path)
            self._stay_inside(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600)
            target.write_text(file.content)
            user, group = file.ownership
            os.chown(target, owners[0][user], owners[1][group])
            target.chmod(file.mode)
        for unit in applied.enabled:
            link = self.on_host(str(WANTS / unit))
            link.parent.mkdir(parents=True, exist_ok=True)
            source = UNITS if str(UNITS / unit) in applied.files else PACKAGED_UNITS
            link.unlink(missing_ok=True)
            link.symlink_to(source / unit)
        self._disable(applied)

    def _disable(self, applied: Applied) -> None:
        """Units of ours that the image or package starts at boot, but this role does not."""
        for unit in ("ssh.service", "haproxy.service", "keepalived.service"):
            if unit not in applied.enabled:
                self.on_host(str(WANTS / unit)).unlink(missing_ok=True)

    def copy_in(self, source: Path, path: str) -> None:
        """Copy a folder of the host onto the disk."""
        shutil.copytree(source, self.on_host(path), symlinks=True, dirs_exist_ok=True)

    def copy_out(self, path: str, target: Path) -> None:
        """Copy a folder of the disk to the host."""
        shutil.copytree(self.on_host(path), target, symlinks=True)

    def remove(self, path: str) -> None:
        """Delete one file."""
        self.on_host(path).unlink()

    def on_host(self, path: str) -> Path:
        """Where a path of the machine is on the host."""
        return self.root / path.lstrip("/")

    def _stay_inside(self, target: Path) -> None:
        """Replace a link instead of following it: an absolute one (`/sbin/init`) leads to the host.

        Raises:
            ValueError: A folder on the way is such a link.
        """
        if not target.parent.resolve().is_relative_to(self.root.resolve()):
            msg = f"{target.parent} leads out of the machine's disk"
            raise ValueError(msg)
        if target.is_symlink():
            target.unlink()

    def _owners(self) -> tuple[dict[str, int], dict[str, int]]:
        """User and group ids by name, as the image knows them."""
        users, groups = (
            {fields[0]: int(fields[2]) for fields in (line.split(":") for line in self.on_host(name).read_text().splitlines())}
            for name in ("/etc/passwd", "/etc/group")
        )
        return users, groups
