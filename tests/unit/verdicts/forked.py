"""Runs pytest in a process of its own that begins with the libraries loaded: loading them is half of what a short run costs."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

LIBRARIES = [
    *("pytest", "gherkin", "parse_type", "mako.lookup", "jinja2", "pydantic", "cucumber_messages", "prometheus_client", "packaging"),
    *("rich.console", "rich.table", "rich.live", "rich.progress", "pygments.lexers", "cryptography.hazmat.primitives.serialization.ssh"),
    *("unittest.mock", "xml.etree.ElementTree", "importlib.metadata", "asyncio", "email.message", "http.client", "tomllib"),
]
"""Nothing of the suite and no plugin: pytest rewrites the assertions of these when it loads them."""

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(LIBRARIES)


def pytest_in(folder: Path, arguments: Sequence[str], environment: Mapping[str, str], patience: float) -> tuple[int, str]:
    """Run `python -m pytest` in a folder.

    Args:
        folder: Where.
        arguments: Of pytest.
        environment: All of it.
        patience: Seconds after which it is ended.

    Returns:
        Exit status, and what it wrote to both of its streams.

    Raises:
        TimeoutError: It did not end.
    """
    reading, writing = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_become_pytest, args=(str(folder), list(arguments), dict(environment), writing))
    with ThreadPoolExecutor(1) as reader:
        process.start()
        writing.close()
        written = reader.submit(_read_all, reading)
        process.join(patience)
        code = process.exitcode
        if code is None:
            process.kill()
        out = written.result()
    process.join()
    if code is None:
        msg = f"pytest {' '.join(arguments)} did not end within {patience:g} s:\n{out}"
        raise TimeoutError(msg)
    return code, out


def _read_all(reading: Connection) -> str:
    with open(reading.fileno(), encoding="utf-8", errors="replace", closefd=False) as stream, reading:
        return stream.read()


def _become_pytest(folder: str, arguments: list[str], environment: dict[str, str], writing: Connection) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream in (1, 2):
        os.dup2(writing.fileno(), stream)
    writing.close()
    import pytest  # noqa: PLC0415 - loaded before the process began

    sys.argv = [str(Path(pytest.__file__).with_name("__main__.py")), *arguments]
    sys.path[:] = [folder, *(place for place in sys.path if place.startswith((sys.prefix, sys.base_prefix)))]
    sys.exit(pytest.console_main())
