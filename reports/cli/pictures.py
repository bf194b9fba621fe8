"""Pictures for the README, and the sample report, from a real run."""

from __future__ import annotations

import platform
import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from model.errors import BadInput, ToolMissing
from reports.cli.runs import ROOT, RunArgument, read
from reports.pages import front, scenarios
from reports.record import MESSAGES
from reports.recorded import FILE, RecordedRun

PICTURES = ROOT / "docs" / "pictures"
SAMPLE = ROOT / "docs" / "sample-report"
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
WIDTH, HEIGHT = 1120, 1000
SAMPLE_FILE_MAX = 64 * 1024
"""Bytes; a bigger file of evidence is not part of the sample."""


def pictures(
    run: RunArgument = "latest",
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")] = PICTURES,
) -> None:
    """Take the README's pictures: the front page in light and dark, and one timeline. Needs what `make dev` and `make browser` install."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only developers have it
    except ImportError as error:
        raise ToolMissing("pictures need playwright: run `make dev`") from error
    program = shutil.which("chromium")
    if program is None:
        raise ToolMissing("pictures need Chromium: run `make browser` as root, or `apt-get install chromium`")
    chosen = read(run)
    page = _page_of(chosen)
    output.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET.split())
        for scheme in ("light", "dark"):
            seen = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            seen.goto(page.as_uri())
            seen.screenshot(path=output / f"front-{scheme}.png")
            timelines = seen.locator(_timeline(chosen))
            if scheme == "light" and timelines.count():
                timelines.first.screenshot(path=output / "timeline.png")
        browser.close()
    for path in sorted(output.glob("*.png")):
        typer.echo(f"{path} ({path.stat().st_size // 1000} kB)")


def _page_of(run: RecordedRun) -> Path:
    page = run.folder / front.FILE
    if not page.exists():
        raise BadInput(f"{page} is missing: `python -m reports rejudge {run.id}` makes it")
    return page


def _timeline(run: RecordedRun) -> str:
    """The timeline of a scenario with clients, if there is one: it shows most."""
    with_clients = [entry.title for entry in run.scenarios if entry.faults and entry.histories]
    return f'figure:has-text("{with_clients[-1]}")' if with_clients else "figure"


def sample(
    run: RunArgument = "latest",
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to; it is replaced.")] = SAMPLE,
) -> None:
    """Put a run into the repository as a sample that opens there: pages, record, and evidence that is not big."""
    chosen = read(run)
    page = _page_of(chosen)
    if output.exists() and not (output / FILE).exists():
        raise BadInput(f"{output} is no sample report (it has no {FILE}); it is left alone")
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    for entry in chosen.scenarios:
        for file in entry.files:
            source, target = chosen.folder / file.path, output / file.path
            if source.is_file() and file.size <= SAMPLE_FILE_MAX:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for name in (FILE, "summary.md", "junit.xml", "metrics.txt"):
        if (chosen.folder / name).exists():
            shutil.copyfile(chosen.folder / name, output / name)
    front_page = page.read_text(encoding="utf-8")
    (output / front.FILE).write_text(re.sub(r'<section aria-labelledby="trend".*?</section>', "", front_page, flags=re.DOTALL), "utf-8")
    if (chosen.folder / MESSAGES).exists():
        scenarios.write_scenarios(
            chosen.folder / MESSAGES, output / scenarios.FILE, f"Scenarios of run {chosen.id}", program="../../reports/vendor"
        )
    for path in sorted(output.rglob("*")):
        if path.is_file() and path.suffix != ".png":
            _forget_this_machine(path)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    typer.echo(f"{output} ({size // 1000} kB)")


def _forget_this_machine(path: Path) -> None:
    """Leave out what tells of the machine that the run was made on, and of nobody's lab: its name, kernel and folders."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for told, instead in ((str(ROOT), "."), (str(Path.home()), "~"), (platform.release(), "linux"), (f'hostname="{platform.node()}"', "")):
        text = text.replace(told, instead)
    path.write_text(text, encoding="utf-8")
