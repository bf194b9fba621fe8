"""Finds programs, never builds: path given by the user, then PATH, then the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from model.errors import BadInput, ToolMissing, ToolTooOld
from provisioning import places
from provisioning.commands import SETUP_COMMAND, SETUP_EXTRA
from provisioning.toolchain.programs import EXTRAS, Program, Tool

_ANSWER_SECONDS = 20
_OF_OTHERS = ("TF_", "MINIO_", "MC_")


def tools_folder() -> Path:
    """Where built programs are kept: one folder per program and digest."""
    return places.cache() / "tools"


def cached(program: Program) -> Path:
    """Where the program is once it was built from what is here now."""
    return tools_folder() / f"{program.name}-{program.digest}" / program.name


def find(program: Program, given: Path | None = None) -> Tool:
    """Find a program of a fitting version; takes milliseconds.

    Args:
        program: Which one.
        given: A path that the user gave; then nothing else is looked at.

    Returns:
        Where it is, and its version.

    Raises:
        BadInput: The given path is no program, or another one.
        ToolTooOld: The given program's version cannot keep the promises; says which version and why.
        ToolMissing: It is nowhere; the message names the command that builds it.
    """
    if given is not None:
        return _given(program, given)
    tool = available(program)
    if tool is None:
        msg = f"{program.title} is not there (neither on PATH in a fitting version nor in {tools_folder()}); run `{setup_of(program)}` once"
        raise ToolMissing(msg)
    return tool


def available(program: Program) -> Tool | None:
    """What PATH, then the cache, has of a program; None where neither has a version that fits."""
    on_path = shutil.which(program.name)
    if on_path and (tool := identify(program, Path(on_path), "PATH")) and program.unfit(tool.version) is None:
        return tool
    return identify(program, cached(program), "cache") if cached(program).is_file() else None


def identify(program: Program, path: Path, origin: str) -> Tool | None:
    """Ask a program for its version.

    Args:
        program: Which one it should be.
        path: Where it is.
        origin: Where it was looked for.

    Returns:
        None when it does not answer like this program, or is a script that only stands for it: machines get the program itself.
    """
    if is_script(path):
        return None
    if program.ask is None:
        version = program.version_in("", path)
        return Tool(program, path.absolute(), version, origin) if version else None
    env = {name: value for name, value in os.environ.items() if not name.startswith(_OF_OTHERS)}
    try:
        answer = subprocess.run(
            [path, program.ask], capture_output=True, text=True, errors="replace", timeout=_ANSWER_SECONDS, check=False, env=env, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = program.version_in(answer.stdout, path)
    return Tool(program, path.absolute(), version, origin) if version else None


def is_script(path: Path) -> bool:
    """Whether a file is a script (a version switcher's shim, for one)."""
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def setup_of(program: Program) -> str:
    """The command that makes a program."""
    return next((f"{SETUP_EXTRA} {extra}" for extra, other in EXTRAS.items() if other is program), SETUP_COMMAND)


def _given(program: Program, given: Path) -> Tool:
    if not given.is_file() or not os.access(given, os.X_OK):
        msg = f"--{program.name} {given}: no such program"
        raise BadInput(msg)
    tool = identify(program, given, "given")
    if tool is None:
        msg = f"--{program.name} {given}: it does not answer `{program.ask}` as {program.title} or a compatible successor does"
        raise BadInput(msg)
    why = program.unfit(tool.version)
    if why:
        msg = f"--{program.name} {given}: version {tool.version} cannot be used: {why}"
        raise ToolTooOld(msg)
    return tool
