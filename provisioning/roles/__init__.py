"""The reference configuration: what each role puts on a machine, as data that every driver applies the same way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self


@dataclass(frozen=True)
class File:
    """A file on a machine.

    Attributes:
        path: Where it is.
        content: Its text.
        mode: Its permissions.
        owner: `user`, or `user:group`.
        unit: What has to read it anew when it changed on a machine that runs.
    """

    path: str
    content: str
    mode: int = 0o644
    owner: str = "root"
    unit: str = ""

    @property
    def ownership(self) -> tuple[str, str]:
        """User and group."""
        user, _, group = self.owner.partition(":")
        return user, group or user


@dataclass(frozen=True)
class Applied:
    """What a role puts on one machine.

    Attributes:
        packages: Debian packages.
        programs: Programs that Debian does not ship (`minio`, `tofu`), wanted in `/usr/local/bin`.
        files: By path.
        enabled: Units that start at boot.
        drives: Folders that should be file systems of their own; a driver that cannot do so makes plain folders. None in the
            reference configuration: with them a store of four nodes needs 20 s instead of 7 s until it takes writes
            (embedded lab, four starts each), as its nodes then more often miss one another at first.
        users: Accounts without a password, with a home.
    """

    packages: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    files: dict[str, File] = field(default_factory=dict)
    enabled: tuple[str, ...] = ()
    drives: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def with_files(self, *files: File) -> Self:
        """The same with files added or replaced."""
        return replace(self, files={**self.files, **{file.path: file for file in files}})

    def with_edit(self, path: str, old: str, new: str) -> Self:
        """The same with a text in one file changed.

        Raises:
            ValueError: There is no such file, or it does not hold the text, so that the change would change nothing.
        """
        file = self.files.get(path)
        if file is None:
            msg = f"there is no {path}; there are {', '.join(self.files)}"
            raise ValueError(msg)
        if not old or old not in file.content:
            msg = f"{path} does not contain {old!r}"
            raise ValueError(msg)
        if old == new:
            msg = f"{old!r} in {path} would stay as it is"
            raise ValueError(msg)
        return self.with_files(replace(file, content=file.content.replace(old, new)))

    def without_unit(self, unit: str) -> Self:
        """The same with one unit not started at boot.

        Raises:
            ValueError: It is not started anyway, so that the change would change nothing.
        """
        if unit not in self.enabled:
            msg = f"{unit} is not among what starts at boot: {', '.join(self.enabled)}"
            raise ValueError(msg)
        return replace(self, enabled=tuple(name for name in self.enabled if name != unit))

    def merged(self, other: Applied) -> Applied:
        """Both together."""
        return Applied(
            self.packages + other.packages,
            self.programs + other.programs,
            {**self.files, **other.files},
            self.enabled + other.enabled,
            self.drives + other.drives,
            self.users + other.users,
        )
