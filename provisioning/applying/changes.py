"""What would change on a machine: computed from what is there, and told as a diff."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from provisioning.applying.present import Present, PresentFile
from provisioning.roles import Applied, File
from provisioning.roles.reference import MINIO_DATA, SYSCTL

FOLDER_MARK = f"{MINIO_DATA}/"
"""A file below it only stands for its folder: data that is there is left alone."""


@dataclass(frozen=True)
class Changes:
    """Everything that makes a machine what its roles want.

    Attributes:
        machine: Its name.
        files: To be written.
        before: What is there in their place.
        packages: To be installed.
        programs: To be copied to `/usr/local/bin`.
        enabled: Units to be started, now and at boot.
        users: Accounts to be made.
    """

    machine: str
    files: tuple[File, ...] = ()
    before: Mapping[str, PresentFile | None] = field(default_factory=dict, repr=False)
    packages: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.files or self.packages or self.programs or self.enabled or self.users)

    @property
    def units(self) -> tuple[str, ...]:
        """What has to read its settings anew, or to start; the kernel's settings first, as services rely on them."""
        touched = dict.fromkeys([*(file.unit for file in self.files if file.unit), *self.enabled])
        return tuple(sorted(touched, key=lambda unit: unit != SYSCTL))

    def told(self) -> Iterator[str]:
        """The changes, line by line; the content of files that only root may read is not shown."""
        for what, names in (("install", self.packages), ("make the account", self.users), ("copy the program", self.programs)):
            yield from (f"{self.machine}: {what} {name}" for name in names)
        for file in self.files:
            yield from _diff(self.machine, file, self.before.get(file.path))
        yield from (f"{self.machine}: start at boot {unit}" for unit in self.enabled)
        if self.units:
            yield f"{self.machine}: then restart or reload {', '.join(self.units)}"


def changes(machine: str, wanted: Applied, present: Present) -> Changes:
    """Compare.

    Args:
        machine: Name of the machine.
        wanted: What its roles want.
        present: What is there.
    """
    return Changes(
        machine,
        tuple(file for file in wanted.files.values() if _differs(file, present.files.get(file.path))),
        present.files,
        _missing(wanted.packages, present.packages),
        _missing(wanted.programs, present.programs),
        _missing(wanted.enabled, present.enabled),
        _missing(wanted.users, present.users),
    )


def _missing(wanted: tuple[str, ...], present: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(wanted) if name not in present)


def _differs(file: File, there: PresentFile | None) -> bool:
    if there is None:
        return True
    return not file.path.startswith(FOLDER_MARK) and not there.is_like(file)


def _diff(machine: str, file: File, there: PresentFile | None) -> Iterator[str]:
    place = f"{machine}:{file.path}"
    if not file.mode & 0o004 or (there is not None and there.is_secret):
        yield f"{place}: {'is made' if there is None else 'changes'} (not shown: not everybody may read it)"
        return
    before = "" if there is None else there.content.decode(errors="replace")
    names = ("/dev/null" if there is None else place, place)
    for line in difflib.unified_diff(before.splitlines(keepends=True), file.content.splitlines(keepends=True), *names, n=2):
        yield line.rstrip("\n")
    if there is not None and (there.mode, there.owner) != (file.mode, file.ownership):
        was, becomes = f"{there.mode:04o} {':'.join(there.owner)}", f"{file.mode:04o} {':'.join(file.ownership)}"
        yield f"{place}: permissions {was} become {becomes}"
