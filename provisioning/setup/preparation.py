"""Host, image, programs: looked at in this order, and made where they are missing; sources are fetched while the image is made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.errors import HostUnfit
from provisioning import hostcheck, images, toolchain
from provisioning.progress import Progress


@dataclass(frozen=True)
class Prepared:
    """What a lab is made of, all of it there.

    Attributes:
        tools: Programs by name.
        image: Root file system of the machines.
    """

    tools: Mapping[str, toolchain.Tool]
    image: Path

    def sentence(self) -> str:
        """What was found or made, in one line."""
        tools = ", ".join(f"{tool.program.title} {tool.version} ({tool.origin})" for tool in self.tools.values())
        return f"ready: {tools}; machine image {self.image.parent.name}"


def prepare(progress: Progress | None = None, given: Mapping[str, Path] | None = None, extras: Collection[str] = ()) -> Prepared:
    """Make this host ready for embedded labs; fast when it is already.

    Args:
        progress: Shows each step that takes long.
        given: Paths of programs that the user gave, by name (`minio`, `tofu`, `mc`); those are not built.
        extras: What else is wanted, words of `toolchain.EXTRAS`, and of `images.EXTRAS`.

    Returns:
        Where everything is.

    Raises:
        HostUnfit: The host lacks something that set-up cannot make (root, a program, room); names the remedy.
        ToolMissing: Something could not be made; names the step, and the command that resumes.
        ToolTooOld: A given program cannot keep the promises that are tested.
        BadInput: A given path is no such program.
    """
    progress = progress or Progress()
    lacking = [finding for finding in hostcheck.essentials() if not finding.ok]
    if lacking:
        raise HostUnfit("; ".join(f"{finding.name}: {finding.found} - {finding.remedy}" for finding in lacking))
    with _programs(given, extras, progress) as made:
        image = images.ensure(progress)
        for extra in extras:
            if extra in images.EXTRAS:
                images.ensure(progress, images.EXTRAS[extra])
        prepared = Prepared(made(), image)
    toolchain.sources.forget(progress)
    progress.say(prepared.sentence())
    return prepared


def prepare_programs(
    progress: Progress | None = None, given: Mapping[str, Path] | None = None, extras: Iterable[str] = ()
) -> Mapping[str, toolchain.Tool]:
    """Make programs alone; needs no root.

    Args:
        progress: Shows each step that takes long.
        given: Paths of programs that the user gave, by name.
        extras: What else is wanted, words of `toolchain.EXTRAS`.

    Raises:
        HostUnfit: There is no room for one of them.
        ToolMissing: One could not be made; names the step, and the command that resumes.
        ToolTooOld: A given program cannot keep the promises that are tested.
        BadInput: A given path is no such program.
    """
    progress = progress or Progress()
    with _programs(given, extras, progress) as made:
        tools = made()
    toolchain.sources.forget(progress)
    progress.say("ready: " + ", ".join(f"{tool.program.title} {tool.version} ({tool.origin})" for tool in tools.values()))
    return tools


@contextlib.contextmanager
def _programs(
    given: Mapping[str, Path] | None, extras: Iterable[str], progress: Progress
) -> Iterator[Callable[[], dict[str, toolchain.Tool]]]:
    """While the block runs, sources of missing programs are fetched; what it gets makes the programs."""
    wanted = (*toolchain.PROGRAMS, *(toolchain.EXTRAS[extra] for extra in extras))
    paths = given or {}
    found = {
        program: toolchain.find(program, paths[program.name]) if program.name in paths else toolchain.available(program)
        for program in wanted
    }

    def make() -> dict[str, toolchain.Tool]:
        return {program.name: tool or toolchain.ensure(program, progress) for program, tool in found.items()}

    with toolchain.sources.ahead((program for program, tool in found.items() if tool is None), progress):
        yield make
