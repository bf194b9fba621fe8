"""A browser, offline, that tells of every error and every request of a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from model.errors import ToolMissing
from reports.outputs import make_all
from tests.pages import messages, sample

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. A missing one is an error, not a skip: nobody would have looked at the pages."""
    program = shutil.which("chromium")
    if program is None:
        raise ToolMissing("the tests of pages need Chromium: run `make browser` as root, or `apt-get install chromium`")
    arguments = (
        "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments.split())
        yield started
        started.close()


@dataclass
class Visit:
    """A page that is being looked at.

    Attributes:
        page: In the browser.
        file: Where it lies.
        errors: What it complained of.
        requests: Everything that it asked for.
    """

    page: Page
    file: Path
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """Requests for anything but the page itself."""
        return [url for url in self.requests if not url.startswith(self.file.as_uri()) and not url.startswith("data:")]

    def violations(self) -> list[str]:
        """What axe-core finds that would keep somebody out."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate("axe.run().then((result) => result.violations)")
        return [
            f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}"
            for each in found
            if each["impact"] in SERIOUS
        ]


class Visitor:
    """Opens pages; closes them all at the end of a test."""

    def __init__(self, browser: Browser) -> None:
        """Use this browser."""
        self._browser, self._contexts = browser, list[Any]()

    def __call__(self, file: Path, *, query: str = "", scheme: str = "light", width: int = 1280) -> Visit:
        """Open a file."""
        context = self._browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)  # type: ignore[arg-type]
        self._contexts.append(context)
        visit = Visit(context.new_page(), file)
        visit.page.on("console", lambda message: visit.errors.append(message.text) if message.type in {"error", "warning"} else None)
        visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.goto(file.as_uri() + query)
        return visit

    def close(self) -> None:
        """Close everything."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """Opens a page: `visit(file)`."""
    visitor = Visitor(browser)
    yield visitor
    visitor.close()


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs with all their pages: `a-passed`, `b-failed`, `c-empty`."""
    folder = tmp_path_factory.mktemp("reports") / "runs"
    for name, make in (("a-passed", sample.passed_run), ("b-failed", sample.failed_run), ("c-empty", sample.empty_run)):
        run = make(folder / name)
        told = [("V4", f"Told {sample.TRICKY.replace('<', '&lt;')}", "PASSED"), ("V7", "A plug is pulled", "FAILED")]
        messages.write(folder / name / "messages.ndjson", told, attachment="journal line\n" * 5000)
        assert list(make_all(run)) == []
    return folder
