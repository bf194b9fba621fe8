"""What building needs and nothing else does: fetched ahead while other things are made, and forgotten in the end."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock, Timeout

from provisioning.commands import beside, require_space
from provisioning.progress import Progress
from provisioning.toolchain import golang
from provisioning.toolchain.build import NEEDED_BYTES, alone
from provisioning.toolchain.lookup import available, tools_folder
from provisioning.toolchain.programs import PROGRAMS, Program

_REMOVED_AT_ONCE = 8


@contextlib.contextmanager
def ahead(programs: Iterable[Program], progress: Progress) -> Iterator[None]:
    """While the block runs, fetch in the background what the programs that are missing will be built from.

    Whoever builds one still asks for its sources, finds what is there by then, and tells what could not be fetched.

    Args:
        programs: Which will be asked for in the block.
        progress: Shows what is done.

    Raises:
        ToolMissing: Go is needed and could not be installed; names the step, and the command that resumes.
        HostUnfit: There is no room for it.
    """
    missing = [program for program in programs if available(program) is None]
    with contextlib.ExitStack() as ending:
        if missing:
            require_space(missing[0].title, tools_folder(), NEEDED_BYTES)
            with alone(progress):
                going = [(program, golang.find_or_install(program.go, progress)) for program in missing]
            golang.folder().mkdir(parents=True, exist_ok=True)
            scratch = ending.enter_context(tempfile.TemporaryDirectory(prefix="ahead-", dir=golang.folder(), ignore_cleanup_errors=True))
            with contextlib.suppress(Timeout):  # then somebody else fetches
                ending.enter_context(_in_use().acquire(timeout=0))
                progress.say(f"fetching the sources of {', '.join(program.title for program in missing)} in the background")
                for program, go in going:
                    command = [str(go.path), *golang.fetching(program.package)]
                    ending.enter_context(beside(command, env=go.environment(Path(scratch)), cwd=program.folder))
        yield


def forget(progress: Progress) -> None:
    """Remove what only building needs, once every program is there; not while another set-up fetches.

    It is gigabytes in a hundred thousand files, and removing them is waiting for the disk: several at once wait a third less.

    Args:
        progress: Shows what is done.
    """
    if golang.folder().exists() and all(available(program) for program in PROGRAMS):
        with (
            contextlib.suppress(Timeout),
            alone(progress),
            _in_use().acquire(timeout=0),
            progress.step("removing what only building needed"),
        ):
            with ThreadPoolExecutor(_REMOVED_AT_ONCE) as pool:
                for branch in golang.folder().glob("*/*/*"):
                    pool.submit(shutil.rmtree, branch, ignore_errors=True)
            shutil.rmtree(golang.folder(), ignore_errors=True)


def _in_use() -> FileLock:
    return FileLock(tools_folder() / ".sources.lock")
