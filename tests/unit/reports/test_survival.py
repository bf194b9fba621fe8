"""What was written stays readable: after Ctrl-C, a killed worker, a killed run, and in a file that was cut."""

from __future__ import annotations

import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.errors import BadInput
from model.verdicts import Verdict
from model.waiting import wait_until
from reports.__main__ import app
from reports.messages.reading import read
from reports.pruning import Claim
from reports.rejudging import rejudge
from tests.unit.reports.told import Told, check_schema, lines_of
from tests.unit.verdicts.inner import ALONE_AND_WITH_A_WORKER, Inner, command, environment, feature, project, run

CUT = """
@when("the process dies while it writes")
def dies_writing():
    [part] = Path("reports/runs").glob("*/parts/" + os.environ["PYTEST_XDIST_WORKER"] + ".ndjson")
    with part.open("a") as file: file.write('{"testStepFin')
    os._exit(9)
"""
DIES = feature("dies|When nothing happens|When the process dies", *(f"{n} passes|When nothing happens" for n in range(4)))
WAITS = feature("first|When nothing happens", "waits|When it waits for somebody to press Ctrl-C", "never|When nothing happens")


def test_a_killed_worker_leaves_its_part(tmp_path: Path) -> None:
    inner = run(project(tmp_path / "p", dies=DIES), "features/", "-n", "2")
    told = Told(lines_of(inner.latest / "messages.ndjson"))
    check_schema(told.messages)
    told.check_order()
    statuses = {title.partition(":")[0]: found for title, found in told.statuses(hooks=True).items()}
    assert statuses["dies"] == ["PASSED", "PASSED", "PASSED", "PENDING", "SKIPPED", "SKIPPED", "SKIPPED", "SKIPPED", "PENDING"]
    assert {n: found for n, found in statuses.items() if n != "dies"} == {f"{n} passes": ["PASSED"] * 8 for n in range(4)}
    assert inner.code == 10, inner.out
    before = (inner.latest / "run.json").read_text(encoding="utf-8")
    rejudge(inner.latest.resolve())
    assert (inner.latest / "run.json").read_text(encoding="utf-8") == before


@pytest.mark.proof
def test_a_worker_killed_in_the_middle_of_a_line_costs_that_line(tmp_path: Path) -> None:
    text = feature("dies|When the process dies while it writes", *(f"{n} passes|When nothing happens" for n in range(4)))
    inner = run(project(tmp_path / "p", CUT, dies=text), "features/", "-n", "2")
    told = Told(lines_of(inner.latest / "messages.ndjson"))
    check_schema(told.messages)
    told.check_order()
    assert inner.verdicts["dies"] == "inconclusive"
    assert len(told.attempts) == 5


@ALONE_AND_WITH_A_WORKER
def test_a_killed_run_is_readable_up_to_there(tmp_path: Path, workers: tuple[str, ...]) -> None:
    folder = project(tmp_path / "p", waits=WAITS)
    process = subprocess.Popen(
        command("features/", *workers), cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until((folder / "waiting").exists, bool, what="the scenario waits", within=timedelta(seconds=120))
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=120)
    latest = folder / "reports/latest"
    assert not (latest / "run.json").exists()
    judged = rejudge(latest.resolve())
    verdicts = {entry.title: entry.verdict for entry in judged.scenarios}
    assert verdicts == {"first": Verdict.PASSED, "waits": Verdict.NOT_RUN, "never": Verdict.NOT_RUN}
    assert judged.exit_code == 10
    assert "the record ends early" in judged.stopped
    assert "results of 1 of 3 scenarios" in judged.stopped


def test_ctrl_c_leaves_a_whole_record(tmp_path: Path) -> None:
    text = feature("first|When nothing happens", "interrupted|When somebody presses Ctrl-C", "never|When nothing happens")
    inner = run(project(tmp_path / "p", text=text))
    told = Told(lines_of(inner.latest / "messages.ndjson"))
    check_schema(told.messages)
    told.check_order()
    statuses = {title.partition(":")[0]: found for title, found in told.statuses(hooks=True).items()}
    assert statuses["first"] == ["PASSED"] * 8
    assert statuses["interrupted"][:4] == ["PASSED", "PASSED", "SKIPPED", "SKIPPED"]
    assert statuses["never"] == ["SKIPPED"] * 8
    before = (inner.latest / "run.json").read_text(encoding="utf-8")
    assert rejudge(inner.latest.resolve()).exit_code == inner.code == 2
    assert (inner.latest / "run.json").read_text(encoding="utf-8") == before


def test_a_run_that_goes_on_is_not_judged(whole: Inner) -> None:
    claim = Claim(whole.latest.resolve())
    with pytest.raises(BadInput, match="is being written: the run goes on"):
        rejudge(whole.latest.resolve())
    claim.release()
    assert rejudge(whole.latest.resolve()).exit_code == whole.code


def test_a_run_that_could_not_collect_has_a_record_too(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", text=feature("first|When nothing happens"))
    (folder / "features/test_broken.py").write_text("raise ValueError")
    inner = run(folder)
    assert inner.code not in {0, 1}, inner.out
    before = (inner.latest / "run.json").read_text(encoding="utf-8")
    assert rejudge(inner.latest.resolve()).exit_code == inner.code
    assert (inner.latest / "run.json").read_text(encoding="utf-8") == before


@pytest.fixture
def whole(tmp_path: Path) -> Inner:
    return run(project(tmp_path / "p", text=feature("first|When nothing happens", "second|When nothing happens")))


def test_a_record_that_was_cut_names_the_line(whole: Inner) -> None:
    path = whole.latest / "messages.ndjson"
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    second = next(
        number for number, line in enumerate(lines) if '\\"second\\"' not in line and "::second" in line and "result+json" in line
    )
    path.write_text("\n".join(lines[:second]) + "\n" + lines[second][:40], encoding="utf-8")
    found = read(whole.latest)
    assert found.damage() == (
        f"messages.ndjson:{second + 1}: this line is no message: it was cut off; the record ends early, after line {second}; "
        f"readable: {second - 1} lines, results of 1 of 2 scenarios"
    )
    judged = rejudge(whole.latest.resolve())
    assert {entry.title: entry.verdict for entry in judged.scenarios} == {"first": Verdict.PASSED, "second": Verdict.NOT_RUN}
    assert (judged.exit_code, judged.gate_met) == (10, False)


def test_a_damaged_line_costs_what_stood_in_it(whole: Inner) -> None:
    path = whole.latest / "messages.ndjson"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if "::first" in line and "result+json" in line)
    lines[place] = lines[place].replace(":", "", 1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    judged = rejudge(whole.latest.resolve())
    assert f"messages.ndjson:{place + 1}: this line is no message: it is damaged" in judged.stopped
    assert {entry.title: entry.verdict for entry in judged.scenarios} == {"first": Verdict.NOT_RUN, "second": Verdict.PASSED}


def test_without_its_beginning_nothing_can_be_judged(whole: Inner) -> None:
    path = whole.latest / "messages.ndjson"
    path.write_text('{"meta": ', encoding="utf-8")
    with pytest.raises(BadInput, match=r"what was asked for cannot be read.*messages\.ndjson:1: this line is no message"):
        rejudge(whole.latest.resolve())
    path.unlink()
    with pytest.raises(BadInput, match=r"there is no record in .*messages\.ndjson is missing"):
        rejudge(whole.latest.resolve())


def test_a_conclusion_that_is_damaged_is_made_again(whole: Inner) -> None:
    (whole.latest / "run.json").write_text('{"id": 1', encoding="utf-8")
    shown = CliRunner().invoke(app, ["show", str(whole.latest)])
    assert shown.exit_code == 0, shown.output
    assert "run.json is damaged or of another schema" in shown.output
    assert "1 of 3 checks hold" in shown.output
