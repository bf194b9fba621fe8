"""Host, programs, image: looked at in this order, and made where they are missing."""

from __future__ import annotations

from collections.abc import Mapping
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


def prepare(progress: Progress | None = None, given: Mapping[str, Path] | None = None, *, proxmox: bool = False) -> Prepared:
    """Make this host ready for embedded labs; fast when it is already.

    Args:
        progress: Shows each step that takes long.
        given: Paths of programs that the user gave, by name (`minio`, `tofu`, `mc`); those are not built.
        proxmox: Make what labs on Proxmox VE need beside that.

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
    paths = given or {}
    tools = {program.name: toolchain.ensure(program, paths.get(program.name), progress) for program in toolchain.PROGRAMS}
    image = images.ensure(progress)
    if proxmox:
        provider = toolchain.ensure(toolchain.PROVIDER, None, progress)
        tools[provider.program.name] = provider
    toolchain.forget_sources()
    prepared = Prepared(tools, image)
    progress.say(prepared.sentence())
    return prepared


def prepare_programs(progress: Progress | None = None, given: Mapping[str, Path] | None = None) -> Mapping[str, toolchain.Tool]:
    """Make programs alone, those for labs on Proxmox VE included; needs no root.

    Args:
        progress: Shows each step that takes long.
        given: Paths of programs that the user gave, by name.

    Raises:
        HostUnfit: There is no room for one of them.
        ToolMissing: One could not be made; names the step, and the command that resumes.
        ToolTooOld: A given program cannot keep the promises that are tested.
        BadInput: A given path is no such program.
    """
    progress, paths = progress or Progress(), given or {}
    programs = (*toolchain.PROGRAMS, toolchain.PROVIDER)
    tools = {program.name: toolchain.ensure(program, paths.get(program.name), progress) for program in programs}
    toolchain.forget_sources()
    progress.say("ready: " + ", ".join(f"{tool.program.title} {tool.version} ({tool.origin})" for tool in tools.values()))
    return tools
