"""Builds programs that are nowhere to be found: in the cache, one build at a time per host, whole or not at all."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from model.errors import ToolMissing
from provisioning.commands import CommandFailed, explain, follow, require_space
from provisioning.progress import Progress, Step
from provisioning.toolchain import golang
from provisioning.toolchain.golang import Go
from provisioning.toolchain.lookup import available, cached, identify, tools_folder
from provisioning.toolchain.programs import BUILD_FLAGS, Program, Tool

NEEDED_BYTES = 3_000_000_000
"""Sources, Go's build cache and the program, measured for the largest of them."""
PARTIAL = ".partial-"
PACKAGE = re.compile(r"[\w.~/+-]+")
"""What `go list` and `go build -v` say of each package: its name, nothing else."""


def ensure(program: Program, progress: Progress | None = None) -> Tool:
    """Find a program, or build it: minutes with cold caches.

    Two processes that need it at once are safe: the second one waits, then finds it. An interrupted build leaves
    nothing half-made; what was fetched is kept, so that the next one resumes.

    Args:
        program: Which one.
        progress: Shows what is done.

    Raises:
        ToolMissing: It could not be built; names the step, and the command that resumes.
        HostUnfit: There is no room for it.
    """
    tool = available(program)
    if tool is None:
        progress = progress or Progress()
        with alone(progress):
            tool = available(program) or _build(program, progress)
    return tool


@contextlib.contextmanager
def alone(progress: Progress) -> Iterator[None]:
    """One build at a time on this host; what a killed build left is removed first.

    Args:
        progress: Shows that another one is waited for.
    """
    tools_folder().mkdir(parents=True, exist_ok=True)
    lock = FileLock(tools_folder() / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with progress.step("waiting for another set-up on this host, which builds programs"):
            lock.acquire()
    try:
        for leftover in tools_folder().glob(f"{PARTIAL}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        lock.release()


def _build(program: Program, progress: Progress) -> Tool:
    require_space(program.title, tools_folder(), NEEDED_BYTES)
    go = golang.find_or_install(program.go, progress)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=tools_folder(), ignore_cleanup_errors=True) as partial:
        scratch, made = Path(partial) / "scratch", Path(partial) / "made"
        scratch.mkdir()
        made.mkdir()
        build = _Build(program, go, scratch)
        with progress.step(f"fetching the sources of {program.title} {program.pinned}") as step:
            packages = build.fetch(step)
        with progress.step(f"building {program.title} {program.pinned}") as step:
            build.compile(made / program.name, step, packages)
        tool = _verify(program, made / program.name)
        shutil.rmtree(cached(program).parent, ignore_errors=True)
        made.rename(cached(program).parent)
    return Tool(program, cached(program), tool.version, "built")


@dataclass(frozen=True)
class _Build:
    """Go's two commands for one program."""

    program: Program
    go: Go
    scratch: Path

    def fetch(self, step: Step) -> int:
        """Fetch every module that the program needs; returns how many packages it is made of."""
        required = sum(" v" in line for line in (self.program.folder / "go.mod").read_text().splitlines())
        packages = modules = 0

        def count(line: str) -> None:
            nonlocal packages, modules
            if line.startswith("go: "):
                modules += line.startswith("go: downloading")
                step.report(done=modules, total=required, note=line.removeprefix("go: downloading "))
            else:
                packages += 1

        self._run(golang.fetching(self.program.package), count, "fetching its sources")
        return packages

    def compile(self, target: Path, step: Step, packages: int) -> None:
        """Compile and link; `go build -v` names each package when it compiles it, but none that is in Go's cache."""
        step.report(total=packages, note="compiling")
        command = ["build", "-v", *BUILD_FLAGS, "-ldflags", self.program.ldflags, "-o", str(target), self.program.package]
        self._run(command, lambda line: step.report(done=step.done + 1, note=line), "building it")

    def _run(self, arguments: list[str], on_line: Callable[[str], None], step: str) -> None:
        try:
            env = self.go.environment(self.scratch)
            follow([str(self.go.path), *arguments], on_line, env=env, cwd=self.program.folder, progress_line=PACKAGE)
        except CommandFailed as failure:
            raise explain(failure, self.program.title, step, tools_folder(), NEEDED_BYTES) from failure


def _verify(program: Program, path: Path) -> Tool:
    """Run what was built: it must be the version that was asked for."""
    tool = identify(program, path, "built")
    if tool is None or tool.version.removeprefix("v") != program.pinned:
        msg = f"{program.title} was built, but says to be {tool.version if tool else 'something else'} instead of {program.pinned}"
        raise ToolMissing(msg)
    return tool
