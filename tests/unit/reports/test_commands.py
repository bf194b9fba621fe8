"""`python -m reports`, and old runs that make room."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from model.errors import BadInput
from model.story import Comparison
from model.verdicts import Verdict
from reports import comparing, merging
from reports.__main__ import app
from reports.cli.runs import find
from reports.messages.reading import read
from reports.pruning import Claim, prune
from reports.recorded import dump, load, schema
from reports.rejudging import rejudge
from tests.unit.reports.examples import check, measured, recorded, scenario
from tests.unit.reports.told import Told, check_schema, lines_of
from tests.unit.verdicts.inner import ROOT, feature, project, run

IDS = [f"202611{day:02}-120000-abcd" for day in range(1, 13)]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "reports/runs"
    for name in IDS:
        (folder / name).mkdir(parents=True)
        (folder / name / "run.json").write_text(dump(recorded()))
    return folder


def test_a_run_is_found_by_id_beginning_and_folder(runs: Path) -> None:
    assert find(IDS[3], runs) == find(IDS[3][:8], runs) == find(str(runs / IDS[3]), runs) == runs / IDS[3]
    (runs.parent / "latest").symlink_to(runs / IDS[-1])
    assert find("latest", runs) == runs / IDS[-1]


def test_an_unknown_run_lists_the_newest(runs: Path) -> None:
    with pytest.raises(BadInput) as caught:
        find("nosuch", runs)
    assert str(caught.value) == f"there is no run 'nosuch'; the newest are {', '.join(reversed(IDS[2:]))}"
    with pytest.raises(BadInput, match="several runs begin with '2026'"):
        find("2026", runs)
    with pytest.raises(BadInput, match="none: run `pytest features/` first"):
        find("nosuch", runs / "empty")


def test_errors_are_one_line_and_help_says_what_is_there() -> None:
    shown = CliRunner().invoke(app, ["show", "nosuch"])
    assert shown.exit_code == 4
    assert "Traceback" not in shown.output
    helped = subprocess.run([sys.executable, "-m", "reports", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(name in helped.stdout for name in ("show", "rejudge", "compare", "merge"))
    wrong = CliRunner().invoke(app, ["rejudge", "latest", "--limit", "x"])
    assert wrong.exit_code == 4


@pytest.mark.parametrize(
    ("before", "after", "differ"),
    [
        ((10.0,), (12.4,), False),
        ((10.0,), (14.0,), True),
        ((0.1,), (0.9,), False),
        ((10.0, 20.0), (21.0, 22.0), False),
        ((10.0, 11.0), (21.0, 22.0), True),
        ((10.0,), (10.0,), False),
    ],
)
def test_noise(before: tuple[float, ...], after: tuple[float, ...], *, differ: bool) -> None:
    assert comparing.differ(before, after) is comparing.differ(after, before) is differ


def test_two_runs_differ_in_verdicts_and_numbers() -> None:
    one = recorded(scenario(measurements=(measured(4.6, fault="plug"), measured(9))), checks=(check(), check(2)))
    other = recorded(
        scenario(1, Verdict.FAILED, measurements=(measured(40, fault="plug"), measured(9.5))), checks=(check(1, Verdict.FAILED), check(3))
    )
    told = {(each.what, each.before, each.after, each.worse) for each in comparing.verdicts(one, other)}
    assert told == {
        ("check V1", "passed", "failed", True),
        ("check V2", "passed", "not there", True),
        ("check V3", "not there", "passed", False),
        ("scenario features/a.feature::s1", "passed", "failed", True),
    }
    [number] = comparing.numbers(one, other)
    assert (number.before, number.after, number.worse) == ("4.6 s", "40 s", True)
    assert number.what.startswith("out of rotation after (plug) in ")
    assert next(comparing.numbers(other, one)).worse is False


def test_comparing_ends_with_1_when_something_got_worse(runs: Path) -> None:
    (runs / IDS[1] / "run.json").write_text(dump(recorded(scenario(1, Verdict.FAILED), checks=(check(1, Verdict.FAILED),))))
    (runs / IDS[0] / "run.json").write_text(dump(recorded(scenario(), checks=(check(),))))
    worse = CliRunner().invoke(app, ["compare", str(runs / IDS[0]), str(runs / IDS[1])])
    assert (worse.exit_code, "check V1" in worse.output) == (1, True), worse.output
    assert CliRunner().invoke(app, ["compare", str(runs / IDS[1]), str(runs / IDS[0])]).exit_code == 0
    same = CliRunner().invoke(app, ["compare", str(runs / IDS[0]), str(runs / IDS[0])])
    assert (same.exit_code, same.output.count("none")) == (0, 2)


def test_shards_become_one_run(tmp_path: Path) -> None:
    texts = {
        "good": feature("works|When it is broken on purpose", "works too|When nothing happens"),
        "bends": feature("bends|When nothing happens|Then it takes a while", check="V2", rule="It breaks"),
        "big": feature("is big|When nothing happens", check="V3", rule="It is bigger"),
    }
    folder = project(tmp_path / "p", **texts)
    shards = [run(folder, "features/", "--check", ids).latest.resolve() for ids in ("V1", "V2,V3")]
    whole = merging.merge(shards, folder / "reports/runs")
    assert (whole.exit_code, whole.conclusion) == (0, "3 of 3 checks hold.")
    assert {each.title for each in whole.scenarios} == {"works", "works too", "bends", "is big"}
    assert all((whole.folder / file.path).is_file() for each in whole.scenarios for file in each.files)
    told = Told(lines_of(whole.folder / "messages.ndjson"))
    check_schema(told.messages)
    told.check_order()
    assert not read(whole.folder).damage()
    assert rejudge(whole.folder) == whole
    assert merging.merge(shards[:1] * 2, folder / "reports/runs").exit_code == 11, "half of the checks were not run"


def test_what_any_shard_left_in_a_lab_is_told_by_the_whole(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", good=feature("works|When nothing happens"), bad=feature("works|When nothing happens", check="V2"))
    runs = [run(folder, "features/", "--check", id_).latest.resolve() for id_ in ("V1", "V2", "V1")]
    whole = merging.merge(runs, folder / "reports/runs")
    assert whole.comparison is None, "the lab was ours"
    compared_as(runs[0], Comparison(("runner01: file /tmp/x",), (), ("storage01: no root",), "5 machines"))
    compared_as(
        runs[1], Comparison(("runner01: file /tmp/x", "object a: 1 versions"), ("b is new",), ("storage01: no root",), "5 machines")
    )
    whole = merging.merge(runs, folder / "reports/runs")
    assert whole.comparison == Comparison(
        ("runner01: file /tmp/x", "object a: 1 versions"),
        ("b is new",),
        ("storage01: no root", f"run {runs[2].name} compared nothing"),
        "5 machines",
    )
    assert rejudge(whole.folder) == whole
    assert json.loads((whole.folder / "run.json").read_text())["comparison"]["left"] == ["runner01: file /tmp/x", "object a: 1 versions"]


def compared_as(folder: Path, comparison: Comparison) -> None:
    """Put a comparison into the record of a run."""
    path = folder / "messages.ndjson"
    said = TypeAdapter(Comparison).dump_json(comparison).decode().replace('"', '\\"')
    text = path.read_text()
    assert text.count('\\"comparison\\": null') == 1
    path.write_text(text.replace('\\"comparison\\": null', f'\\"comparison\\": {said}'))


def test_what_does_not_belong_together_is_not_merged(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", good=feature("works|When nothing happens"))
    first = run(folder).latest.resolve()
    small = run(folder, "features/", "--topology", "single").latest.resolve()
    with pytest.raises(BadInput, match="topology is 'production' and 'single'"):
        merging.merge([first, small], folder / "reports/runs")
    (folder / "features/good.feature").write_text(feature("works better|When nothing happens"))
    with pytest.raises(BadInput, match="they ran different features"):
        merging.merge([first, run(folder).latest.resolve()], folder / "reports/runs")


def test_old_runs_make_room(runs: Path) -> None:
    (runs / "mine").mkdir()
    claim = Claim(runs / IDS[0])
    assert prune(runs, 10) == [IDS[1]]
    claim.release()
    assert prune(runs, 0) == list(reversed([IDS[0], *IDS[2:-1]]))
    assert sorted(path.name for path in runs.iterdir()) == [IDS[-1], "mine"]


def test_a_run_that_is_being_written_is_claimed_by_one(runs: Path) -> None:
    claim = Claim(runs / IDS[0])
    with pytest.raises(BlockingIOError):
        Claim(runs / IDS[0])
    claim.release()
    Claim(runs / IDS[0]).release()


def test_a_run_prunes_but_never_itself(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", good=feature("works|When nothing happens"))
    for _ in range(3):
        inner = run(folder, "features/", "--keep-runs", "2")
    left = sorted(path.name for path in (folder / "reports/runs").iterdir())
    assert len(left) == 2
    assert inner.latest.resolve().name in left
    assert load(inner.latest.resolve()).id in left
    refused = run(folder, "features/", "--keep-runs", "0")
    assert refused.code == 4
    assert "'0' is not a whole number above 0" in refused.out


def test_the_schema_is_documented() -> None:
    written = json.loads((ROOT / "docs/ci/run.schema.json").read_text())
    assert written == schema(), "write it anew: python -m reports schema > docs/ci/run.schema.json"
