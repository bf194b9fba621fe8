"""`scenarios.html`: every scenario step by step, by the official Cucumber formatter, from the run's messages alone.

The formatter's program, style and template lie in `reports/vendor`, so that the page needs no network; what its Node.js
wrapper does (`src/CucumberHtmlStream.ts`) is putting texts into the places of a template.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from model.secrets import SECRETS
from reports.pages.rendering import fresh_file
from reports.record import MESSAGES
from reports.recorded import RecordedRun

VENDOR = Path(__file__).parents[1] / "vendor" / "cucumber-html-formatter"
FILE = "scenarios.html"
BESIDE = "attachments"
"""Folder beside the page for what is too big for it."""

INLINE_MAX = 32 * 1024
"""Characters of an attachment that may stand in the page; a page of a thousand journals would not open."""

STYLE = """
.to-front { display: block; padding: 0.6rem 1rem; font-size: 0.95rem; color: inherit; }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid #4a90d9; outline-offset: 2px; }
"""

SCRIPT = """
document.documentElement.style.colorScheme = "light dark";
const front = document.createElement("a");
front.className = "to-front"; front.href = "index.html"; front.textContent = "← Verdict and checklist";
const bar = document.createElement("nav"); bar.setAttribute("aria-label", "Report"); bar.append(front);
document.body.prepend(bar);
// Whoever comes for one check wants to read its scenarios, and not first to unfold them.
let looks = new URLSearchParams(location.search).has("query") ? 200 : 0;
(function unfold() {
  const folded = document.querySelectorAll("#content button[aria-expanded=false]");
  folded.forEach((button) => button.click());
  if (!folded.length && looks-- > 0) requestAnimationFrame(unfold);
})();
"""


def link(check_id: str) -> str:
    """Where the page shows the scenarios of one check."""
    return f"{FILE}?query=%40check%3A{check_id}"


def write(run: RecordedRun) -> Path | None:
    """Write the page into a run's folder; None without a record."""
    messages = run.folder / MESSAGES
    return write_scenarios(messages, run.folder / FILE, f"Scenarios of run {run.id}") if messages.exists() else None


def write_scenarios(messages: Path, target: Path, title: str, *, program: str = "") -> Path:
    """Write the page.

    Args:
        messages: The run's record, one message a line; a line that is no JSON (the end of a run that was killed) is left out.
        target: The page; big attachments are put into a folder beside it.
        title: Of the page.
        program: Where the folder with the formatter's program is, from the page; without, the program stands in the page.

    Returns:
        The page.
    """
    template = re.split(r"\{\{(\w+)\}\}", (VENDOR / "index.mustache").read_text(encoding="utf-8"))
    with fresh_file(target) as page:
        writers: dict[str, Callable[[], object]] = {
            "title": lambda: page.write(title.replace("&", "&amp;").replace("<", "&lt;")),
            "icon": lambda: page.write(_asset("icon.url")),
            "css": lambda: page.write(_asset("main.css")),
            "custom_css": lambda: page.write(STYLE),
            "messages": lambda: _write_messages(page, messages, target.parent / BESIDE),
            "script": lambda: page.write("" if program else _asset("main.js")),
            "custom_script": lambda: page.write(SCRIPT + (f'</script><script src="{program}/{VENDOR.name}/main.js">' if program else "")),
        }
        for number, piece in enumerate(template):
            if number % 2:
                writers[piece]()
            else:
                page.write(piece)
    return target


def _asset(name: str) -> str:
    return (VENDOR / name).read_text(encoding="utf-8").strip()


def _write_messages(page: TextIO, messages: Path, beside: Path) -> None:
    pickles, documents = _used(messages)
    shown = (envelope for envelope in _envelopes(messages) if _belongs(envelope, pickles, documents))
    for number, envelope in enumerate(shown):
        attachment = envelope.get("attachment")
        if attachment is not None and len(attachment.get("body", "")) > INLINE_MAX:
            envelope["attachment"] = _beside(attachment, beside, number)
        text = SECRETS.mask(json.dumps(envelope, ensure_ascii=False, separators=(",", ":")))
        # `</script>` and `<!--` would end the program that the messages stand in.
        page.write(("," if number else "") + text.replace("<", "\\u003c"))


def _used(messages: Path) -> tuple[set[str], set[str]]:
    """Ids of the scenarios that were to be run, and the files that they stand in: a record knows all others too."""
    chosen = {envelope["testCase"]["pickleId"] for envelope in _envelopes(messages) if "testCase" in envelope}
    pickles = (envelope["pickle"] for envelope in _envelopes(messages) if "pickle" in envelope)
    return chosen, {pickle["uri"] for pickle in pickles if pickle["id"] in chosen}


def _belongs(envelope: dict[str, Any], pickles: set[str], documents: set[str]) -> bool:
    if "pickle" in envelope:
        return envelope["pickle"]["id"] in pickles
    document = envelope.get("gherkinDocument") or envelope.get("source")
    return document is None or document.get("uri") in documents


def _envelopes(messages: Path) -> Iterator[dict[str, Any]]:
    with messages.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                envelope = json.loads(line)
            except ValueError:
                continue
            if isinstance(envelope, dict):
                yield envelope


def _beside(attachment: dict[str, Any], folder: Path, number: int) -> dict[str, Any]:
    """Put an attachment into a file, and a link into its place."""
    body, name = attachment["body"], attachment.get("fileName") or "attachment.txt"
    if attachment.get("contentEncoding") == "BASE64":
        try:
            content = base64.b64decode(body, validate=True)
        except binascii.Error:
            content = body.encode()
    else:
        content = SECRETS.mask(body).encode()
    folder.mkdir(exist_ok=True)
    path = folder / f"{number:05}-{re.sub(r'[^A-Za-z0-9._-]+', '_', Path(name).name)[-80:]}"
    path.write_bytes(content)
    return {**attachment, "mediaType": "text/uri-list", "contentEncoding": "IDENTITY", "body": f"{folder.name}/{path.name}"}
