"""No registered secret is in any file of a run's folder, in whatever form, wherever it came from."""

from __future__ import annotations

import base64
import html
import json
import shlex
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.unit.verdicts.inner import Inner, feature, project, run

SECRETS = ["correct-horse-battery", 'pa"ss\\wörd/with+odd=signs&more', "s3cr3t'quoted' <tag>"]

LEAKS = f"""
import base64, json
from urllib.parse import quote
ODD = [SECRETS.register(value) for value in {SECRETS!r}]

def forms(value):
    coded = base64.b64encode(("user:" + value).encode()).decode()
    return " ".join([value, quote(value, safe=""), coded, json.dumps(dict(key=value)), json.dumps(value, ensure_ascii=False), repr(value)])

ALL = "\\n".join(map(forms, ODD))

@when("everything leaks")
def everything(aftermath, measure):
    print(ALL)
    warnings.warn(ResourceWarning(ALL))
    measure("number of " + ALL, 1, "times", at_most(2), about=ALL)
    @aftermath.evidence
    def keep(folder):
        (folder / "kept.txt").write_text(SECRETS.mask(ALL))
        raise OSError(ALL)
    @aftermath.heal
    def heal(): raise ControlChannelLost(ALL)

@then("a promise with everything is broken")
def promise(): raise PromiseBroken("observed " + ALL)

@given("a set-up that leaks")
def leaky(leaking): pass

@pytest.fixture
def leaking():
    yield
    raise OSError(ALL)
"""


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["alone", "two workers"])
def inner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Inner:
    text = feature(
        "leaks|When everything leaks|Then a promise with everything is broken",
        "leaks late|Given a set-up that leaks|When everything leaks",
        "leaks early|When the tool breaks|When everything leaks",
    )
    return run(project(tmp_path_factory.mktemp("secrets"), LEAKS, leaks=text), "features/", *request.param)


def forms(value: str) -> set[str]:
    """Every form in which a file may hold it; of base64 the digits in the middle, which do not depend on what stands around."""
    coded = {base64.b64encode(bytes(before) + value.encode()).decode()[4 : 4 + len(value)] for before in range(3)}
    as_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    twice = {json.dumps(form)[1:-1] for form in as_json}
    in_url = {quote(value), quote(value, safe=""), quote_plus(value)}
    return {value, *as_json, *twice, *in_url, *coded, html.escape(value), repr(value)[1:-1], shlex.quote(value)}


def test_no_file_holds_a_secret(inner: Inner) -> None:
    files = [path for path in (inner.folder / "reports/runs").rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"run.json", "messages.ndjson", "junit.xml", "summary.md", "metrics.txt", "story.txt", "kept.txt", "warnings.txt"} <= names
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    texts[Path("terminal")] = inner.out
    found = [(str(path), form) for value in SECRETS for form in forms(value) for path, text in texts.items() if form in text]
    assert found == []
    assert sum("«secret»" in text for text in texts.values()) >= len(names)


def test_what_is_masked_can_still_be_read(inner: Inner) -> None:
    scenario = inner.scenarios["leaks"]
    assert scenario["reason"].startswith("observed «secret»")
    assert len(scenario["measurements"]) == 1
    assert inner.verdicts == {"leaks": "failed", "leaks late": "passed", "leaks early": "inconclusive"}
