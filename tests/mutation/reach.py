"""Which lines of a module the tests of a file run: only those tests can tell that such a line was changed."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from coverage import Coverage

LOADED = ""
"""The context of what is run while tests are collected."""


class Recorder:
    """A pytest plugin that notes which file's tests run which lines, and how long they take."""

    def __init__(self, packages: Collection[str], into: Path) -> None:
        """Begin to look.

        Args:
            packages: Whose modules matter.
            into: The file that is written in the end.
        """
        self._into, self._seconds, self._failed = into, defaultdict[str, float](float), set[str]()
        self._coverage = Coverage(source=list(packages), data_file=None, config_file=False, messages=False)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self) -> Iterator[None]:
        """Look from before anything of ours is imported."""
        self._coverage.start()
        yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note whose lines these are."""
        name, started = item.nodeid.partition("::")[0], time.monotonic()
        self._coverage.switch_context(name)
        result = yield
        self._seconds[name] += time.monotonic() - started
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note whose tests fail without any change, as under load: they could tell nothing."""
        if report.failed:
            self._failed.add(report.nodeid.partition("::")[0])

    def pytest_unconfigure(self) -> None:
        """Write it down."""
        self._coverage.stop()
        data = self._coverage.get_data()
        lines: dict[str, dict[str, list[int]]] = {}
        for path in data.measured_files():
            by_file: dict[str, list[int]] = {}
            for line, contexts in data.contexts_by_lineno(path).items():
                for each in set(contexts) - self._failed:
                    by_file.setdefault(each, []).append(line)
            lines[str(Path(path).relative_to(Path.cwd()))] = by_file
        seconds = {name: took for name, took in self._seconds.items() if name not in self._failed}
        self._into.write_text(json.dumps({"lines": lines, "seconds": seconds, "failed": sorted(self._failed)}), encoding="utf-8")


@dataclass(frozen=True)
class Reach:
    """What tests run.

    Attributes:
        lines: By module, by file of tests.
        seconds: By file of tests.
        failed: Files with tests that failed without any change, left out of the others.
    """

    lines: dict[str, dict[str, list[int]]]
    seconds: dict[str, float]
    failed: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Reach:
        """Read what a `Recorder` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def files(self, module: str, line: int) -> list[str]:
        """Files whose tests can notice a change of a line, its own and the quickest first.

        What runs on import, all can notice that use the module.
        """
        by_file = self.lines.get(module, {})
        able = {name for name, lines in by_file.items() if line in lines}
        if LOADED in able:
            able = {*by_file, *(name for name in self.seconds if _imports(Path(name), module))}
        able.discard(LOADED)
        return sorted(able, key=lambda name: (Path(module).stem not in name, self.seconds.get(name, 0.0), name))

    def within(self, files: Collection[str]) -> float:
        """Seconds after which a run of them hangs."""
        return 10 + 5 * sum(self.seconds.get(name, 0.0) for name in files)


def _imports(test: Path, module: str) -> bool:
    """Whether a file of tests names a module: it may use a constant without running a line of it."""
    dotted = module.removesuffix(".py").replace("/", ".")
    return re.search(rf"^\s*(from|import) {re.escape(dotted)}\b", test.read_text(encoding="utf-8"), re.MULTILINE) is not None
