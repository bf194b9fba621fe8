"""What is on a machine of all that a role wants there: one look, nothing is changed."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from model.errors import HostUnfit
from model.lab import Machine
from provisioning.roles import Applied, File

WITHIN = timedelta(seconds=30)
MODE_DIGITS = 8


@dataclass(frozen=True)
class PresentFile:
    """A file that is there."""

    content: bytes = field(repr=False)
    mode: int
    owner: tuple[str, str]

    def is_like(self, file: File) -> bool:
        """Whether nothing would change."""
        return (self.content, self.mode, self.owner) == (file.content.encode(), file.mode, file.ownership)

    @property
    def is_secret(self) -> bool:
        """Whether not everybody on the machine may read it."""
        return not self.mode & 0o004


@dataclass(frozen=True)
class Present:
    """What was found on one machine.

    Attributes:
        files: By path; None where there is none.
        packages: Which of the wanted ones are installed.
        programs: Which of the wanted ones are there.
        enabled: Which of the wanted units start at boot.
        users: Which of the wanted accounts there are.
    """

    files: Mapping[str, PresentFile | None]
    packages: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()


def look(machine: Machine, wanted: Applied) -> Present:
    """Look at a machine.

    Args:
        machine: Its control channel must answer.
        wanted: What a role wants.

    Raises:
        HostUnfit: The machine is neither Debian nor Ubuntu, or has no systemd.
        ControlChannelLost: It did not answer.
    """
    done = machine.run("sh -s", timeout=WITHIN, stdin=_script(wanted).encode())
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    if ["end"] not in lines:
        said = done.stderr.strip().splitlines()
        raise HostUnfit(f"{machine.name} cannot be provisioned: {said[-1] if said else 'it did not answer as Debian or Ubuntu do'}")
    found: dict[str, set[str]] = {kind: set() for kind in ("package", "program", "enabled", "user")}
    files: dict[str, PresentFile | None] = dict.fromkeys(wanted.files)
    for kind, *rest in lines:
        if kind == "file":
            path, mode, user, group, content = rest
            files[path] = PresentFile(base64.b64decode(content), int(mode, MODE_DIGITS), (user, group))
        elif kind in found:
            found[kind].add(rest[0])
    return Present(files, frozenset(found["package"]), frozenset(found["program"]), frozenset(found["enabled"]), frozenset(found["user"]))


def _script(wanted: Applied) -> str:
    return "\n".join([
        "for each in dpkg-query systemctl base64 tar; do",
        '  command -v "$each" >/dev/null || { echo "there is no $each: only Debian and Ubuntu are provisioned" >&2; exit 1; }',
        "done",
        *_questions(wanted),
        "echo end",
    ])  # fmt: skip


def _questions(wanted: Applied) -> Iterator[str]:
    for path in map(shlex.quote, wanted.files):
        seen = f"printf 'file\\t%s\\t%s\\t%s\\n' {path} \"$(stat -Lc '%a\t%U\t%G' {path})\" \"$(base64 -w0 < {path})\""
        yield f"if [ -e {path} ]; then {seen}; fi"
    for name in map(shlex.quote, dict.fromkeys(wanted.packages)):
        yield f"case $(dpkg-query -Wf '${{db:Status-Status}}' {name} 2>/dev/null) in installed) printf 'package\\t%s\\n' {name};; esac"
    for name in map(shlex.quote, wanted.programs):
        yield f"if command -v {name} >/dev/null; then printf 'program\\t%s\\n' {name}; fi"
    for unit in map(shlex.quote, wanted.enabled):
        yield f"case $(systemctl is-enabled {unit} 2>/dev/null) in enabled|alias|static) printf 'enabled\\t%s\\n' {unit};; esac"
    for name in map(shlex.quote, dict.fromkeys(wanted.users)):
        yield f"if id -u {name} >/dev/null 2>&1; then printf 'user\\t%s\\n' {name}; fi"
