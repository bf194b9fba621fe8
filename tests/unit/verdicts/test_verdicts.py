"""Every path to a verdict, in three runs of the inner project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.verdicts.inner import Inner, feature, project, run

PATHS = {
    "passes": ("When nothing happens|Then it takes a while", "passed"),
    "breaks a promise": ("When nothing happens|Then the promise is broken", "failed"),
    "came defective": ("Given a lab that came defective|When nothing happens", "failed"),
    "does not recover": ("When it does not recover", "failed"),
    "recovers badly after our tool broke": ("When it does not recover|When the tool breaks", "failed"),
    "history forks": ("When the history forks", "failed"),
    "history unread": ("When the history cannot be read", "inconclusive"),
    "broken on purpose": ("When it is broken on purpose|Then the promise is broken", "failed"),
    "tool breaks": ("When the tool breaks", "inconclusive"),
    "waits in vain for our own fault": ("When our own wait is too long", "inconclusive"),
    "skips in a step": ("When the step skips", "inconclusive"),
    "fails by hand": ("When the step fails by hand", "inconclusive"),
    "our assertion": ("Given an assertion of ours fails|When nothing happens", "inconclusive"),
    "no lab": ("When nothing happens", "inconclusive"),
    "loses the channel in a then": ("When nothing happens|Then the channel is lost while looking", "inconclusive"),
    "cannot be unplugged": ("When the machine cannot be unplugged", "not run"),
    "no ability": ("When nothing happens", "not run"),
    "cannot be healed": ("When it cannot be healed", "passed"),
    "teardown breaks": ("When nothing happens", "passed"),
    "leaks": ("When a secret leaks|Then a promise with the secret is broken", "failed"),
    "keeps no evidence": ("When evidence cannot be kept", "passed"),
    "leaves a file open": ("When a file is left open", "passed"),
}


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["alone", "two workers"])
def inner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Inner:
    """One run with every path, in one process and in two workers."""
    text = feature(*(f"{title}|{sentences}" for title, (sentences, _) in PATHS.items()))
    return run(project(tmp_path_factory.mktemp("verdicts"), paths=text), "features/", *request.param)


def test_each_path_leads_to_its_verdict(inner: Inner) -> None:
    assert inner.verdicts == {title: verdict for title, (_, verdict) in PATHS.items()}, inner.out
    assert inner.code == 1
    assert inner.rows["V1"] == "failed"


def test_the_deciding_sentence_and_the_message_are_told(inner: Inner) -> None:
    scenario = inner.scenarios["breaks a promise"]
    assert scenario["sentence"].startswith("Then the promise is broken (line ")
    assert "expected at most 35 s, observed 41 s" in scenario["reason"]
    assert "Then the promise is broken (line" in inner.out
    assert inner.scenarios["does not recover"]["sentence"] == "recovery"
    assert "also: When the tool breaks" in inner.scenarios["recovers badly after our tool broke"]["reason"]
    assert [entry["status"] for entry in scenario["sentences"]] == ["passed", "passed", "failed"]


def test_duties_are_done_in_order_whatever_happened(inner: Inner) -> None:
    words = (inner.folder / "log.txt").read_text().split("\n")
    assert words[:6] == ["heal 2", "heal 1", "recovery 2", "recovery 1", "invariant", "evidence"]
    evidence = inner.latest / inner.scenarios["broken on purpose"]["evidence"]
    assert (evidence / "evidence.txt").read_text() == "evidence"
    assert "verdict: failed" in (evidence / "story.txt").read_text()
    assert "not-collected" in str(list((inner.latest / inner.scenarios["keeps no evidence"]["evidence"]).iterdir()))


def test_what_cannot_be_healed_or_removed_leaves_a_dirty_lab(inner: Inner) -> None:
    told = " ".join(inner.record["dirty"])
    assert "no answer while healing" in told
    assert "cannot remove the workspace" in told
    assert "the lab is dirty" in inner.record["conclusion"]


def test_junit_says_the_same_as_the_verdicts(inner: Inner) -> None:
    words = {"failed": "failure", "inconclusive": "error", "not run": "skipped", "passed": None}
    assert set(inner.junit) == set(PATHS)
    for title, (_, verdict) in PATHS.items():
        case = inner.junit[title]
        outcomes = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        assert outcomes == ([words[verdict]] if words[verdict] else []), title
        assert [(entry.attrib["name"], entry.attrib["value"]) for entry in case.iter("property")] == [("check", "V1")], title


def test_secrets_are_masked_everywhere(inner: Inner) -> None:
    files = [path for path in (inner.folder / "reports/runs").rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [str(path) for path in files if "hunter2" in path.read_text()] == []
    assert "hunter2" not in inner.out
    assert "«secret»" in inner.out


def test_measurements_reach_the_record_and_the_table(inner: Inner) -> None:
    [entry] = inner.scenarios["passes"]["measurements"]
    assert (entry["name"], entry["value"], entry["limit"]) == ("out of rotation after", 4.6, {"bound": 35.0, "kind": "at most"})
    assert entry["checks"] == ["V1"]
    assert "4.6 s of 35 s" in inner.out


def test_warnings_of_resources_are_evidence(inner: Inner) -> None:
    assert "left open" in (inner.folder / "reports/latest/warnings.txt").read_text()


def test_only_inconclusive_ones_show_our_code(inner: Inner) -> None:
    assert 'raise OSError("ssh binary missing")' in inner.out
    assert 'raise PromiseBroken("expected three' not in inner.out
    assert "site-packages" not in inner.out


def test_the_order_by_chance_is_that_of_the_seed(tmp_path: Path) -> None:
    names = [f"story {number}" for number in range(8)]
    folder = project(tmp_path / "p", text=feature(*(f"{name}|When nothing happens" for name in names)))
    orders = [list(run(folder, "features/", "--order", order, "--seed", seed).junit) for order, seed in
              (("written", "a"), ("random", "a"), ("random", "a"), ("random", "b"))]  # fmt: skip
    assert orders[0] == names
    assert orders[1] == orders[2] != names
    assert sorted(orders[1]) == sorted(orders[3]) == names
    assert orders[3] != orders[1]
