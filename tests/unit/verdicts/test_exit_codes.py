"""Gate, exit codes, aggregation, and how a run ends early."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from model.waiting import wait_until
from tests.unit.verdicts.inner import ALONE_AND_WITH_A_WORKER, Inner, command, environment, feature, project, run

GOOD = feature(
    "works|When nothing happens", "@disruptive|works harder|When nothing happens", "@thorough|works hardest|When nothing happens"
)
BREAKS = feature("bends|When nothing happens", check="V2", rule="It breaks")
BIG = feature("is big|When nothing happens", "@topology:single|is small|When nothing happens", check="V3", rule="It is bigger")
FORBIDDEN = "\nimport fixtures.options\nfixtures.options.permitted_of = lambda config: ()\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every check holds."""
    return project(tmp_path_factory.mktemp("gate"), good=GOOD, breaks=BREAKS, big=BIG)


def test_all_hold(whole: Path) -> None:
    inner = run(whole)
    assert inner.code == 0, inner.out
    assert inner.record["gate"] == "all"
    assert inner.rows == {"V1": "passed", "V2": "passed", "V3": "passed"}
    assert inner.record["conclusion"] == "3 of 3 checks hold."
    assert set(inner.verdicts) == {"works", "works harder", "bends", "is big"}
    assert [entry["id"] for entry in inner.record["planned"]] == ["B1"]


def test_a_selection_is_green_by_itself_but_not_for_gate_all(whole: Path) -> None:
    selected = run(whole, "features/", "--check", "V1", "-m", "not disruptive")
    assert (selected.code, selected.record["gate"], set(selected.junit)) == (0, "selected", {"works"})
    assert selected.rows == {"V1": "passed in part, 1 of 2", "V2": "not run", "V3": "not run"}
    assert "passed in part (not selected): V1" in selected.record["conclusion"]
    assert run(whole, "features/good.feature", "--gate", "all").code == 11


@pytest.mark.parametrize(
    "arguments",
    [
        ("features/", "--check", "V1,V2", "--check", "V2"),
        ("features/", "-m", 'check(id="V1") or check(id="V2")'),
        ("features/", "-k", "V1 or V2"),
        ("features/good.feature::works", "features/good.feature::works_harder", "features/breaks.feature::bends", "-n", "2"),
    ],
)
def test_ways_to_select(whole: Path, arguments: tuple[str, ...]) -> None:
    inner = run(whole, *arguments)
    assert inner.code == 0, inner.out
    assert set(inner.verdicts) == {"works", "works harder", "bends"}


def test_topology_and_tier_decide_what_is_applicable(whole: Path) -> None:
    single = run(whole, "features/", "--topology", "single", "--tier", "thorough")
    assert single.code == 0, single.out
    assert set(single.rows) == {"V1", "V2"}
    assert set(single.verdicts) == {"works", "works harder", "works hardest", "bends"}
    smoke = run(whole, "features/", "--tier", "smoke")
    assert smoke.code == 5


def test_where_disruption_is_not_permitted(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", FORBIDDEN, good=GOOD, breaks=BREAKS, big=BIG)
    inner = run(folder)
    assert inner.code == 0, inner.out
    assert inner.record["gate"] == "harmless"
    assert inner.rows["V1"] == "passed in part, 1 of 2"
    assert "is not permitted on this lab" in inner.record["conclusion"]
    assert inner.verdicts["works harder"] == "not run"
    assert run(folder, "features/", "--gate", "all").code == 11


def test_a_required_check_without_a_scenario_is_not_green(tmp_path: Path) -> None:
    inner = run(project(tmp_path / "p", good=GOOD, breaks=BREAKS))
    assert (inner.code, inner.rows["V3"]) == (11, "not run")
    assert "it has no scenario" in inner.record["conclusion"]


def test_exit_codes_by_precedence(tmp_path: Path) -> None:
    texts = {
        "inconclusive": feature("cannot tell|When the tool breaks", "cannot do|When the machine cannot be unplugged"),
        "unable": feature("is unable|When the machine cannot be unplugged"),
        "dirty": feature("stays dirty|When it cannot be healed"),
    }
    folder = project(tmp_path / "p", **texts)
    assert run(folder, "features/inconclusive.feature").code == 10
    assert run(folder, "features/unable.feature").code == 11
    assert run(folder, "features/dirty.feature").code == 10


@ALONE_AND_WITH_A_WORKER
def test_three_losses_in_a_row_stop_the_run(tmp_path: Path, workers: tuple[str, ...]) -> None:
    lost = [f"{number} is lost|When the control channel is lost" for number in range(1, 4)]
    text = feature(
        "0 is lost|When the control channel is lost", "passes between|When nothing happens", *lost, "never runs|When nothing happens"
    )
    inner = run(project(tmp_path / "p", lost=text), "features/", *workers)
    assert inner.code == 10, inner.out
    assert "3 times in a row" in inner.record["stopped"]
    assert inner.verdicts["never runs"] == "not run"
    assert inner.scenarios["never runs"]["reason"] == "the run ended before it"


def test_a_worker_that_dies_takes_one_scenario_with_it(tmp_path: Path) -> None:
    text = feature("dies|When the process dies", *(f"{n} passes|When nothing happens" for n in range(5)))
    inner = run(project(tmp_path / "p", dies=text), "features/", "-n", "2")
    assert inner.code == 10, inner.out
    assert inner.verdicts == {"dies": "inconclusive", **{f"{n} passes": "passed" for n in range(5)}}
    assert [child.tag for child in inner.junit["dies"]] == ["properties", "error"]


@pytest.mark.parametrize(("before", "code"), [("When nothing happens", 2), ("When nothing happens|Then the promise is broken", 1)])
def test_ctrl_c_heals_and_tells_the_verdicts_so_far(tmp_path: Path, before: str, code: int) -> None:
    text = feature(f"first|{before}", "interrupted|When it is broken on purpose|When somebody presses Ctrl-C", "never|When nothing happens")
    inner = run(project(tmp_path / "p", text=text))
    assert inner.code == code, inner.out
    assert inner.verdicts["interrupted"] == inner.verdicts["never"] == "not run"
    assert inner.verdicts["first"] == ("passed" if code == 2 else "failed")
    assert inner.record["interrupted"]
    assert (inner.folder / "log.txt").read_text().startswith("heal 2\nheal 1\n")
    assert "interrupted" in inner.record["conclusion"]
    assert "acceptance" in inner.out


def test_ctrl_c_while_the_lab_is_built(tmp_path: Path) -> None:
    inner = run(project(tmp_path / "p", text=feature("first|When nothing happens", "interrupted early|When nothing happens")))
    assert inner.code == 2, inner.out
    assert inner.verdicts == {"first": "passed", "interrupted early": "not run"}


@pytest.mark.parametrize("story", ["interrupted badly|When nothing happens", "sentence|When somebody presses Ctrl-C and clearing up fails"])
def test_ctrl_c_counts_although_clearing_up_after_it_fails(tmp_path: Path, story: str) -> None:
    inner = run(project(tmp_path / "p", text=feature("first|When nothing happens", story, "never|When nothing happens")))
    assert inner.code == 2, inner.out
    assert inner.verdicts == {"first": "passed", story.split("|", maxsplit=1)[0]: "not run", "never": "not run"}


def test_ctrl_c_is_heard_although_python_drops_it(tmp_path: Path) -> None:
    dropped = "dropped|When it is broken on purpose|When somebody presses Ctrl-C while Python disposes of an object|When nothing happens"
    folder = project(tmp_path / "p", text=feature("first|When nothing happens", dropped, "never|When nothing happens"))
    inner = run(folder, "features/", "-W", "default::pytest.PytestUnraisableExceptionWarning")
    assert inner.code == 2, inner.out
    assert inner.verdicts == {"first": "passed", "dropped": "not run", "never": "not run"}
    assert (tmp_path / "p/log.txt").read_text().startswith("heal 2\nheal 1\n")


@ALONE_AND_WITH_A_WORKER
def test_a_lab_that_cannot_be_removed_is_told(tmp_path: Path, workers: tuple[str, ...]) -> None:
    folder = project(tmp_path / "p", text=feature("first|When nothing happens"))
    (folder / "unremovable").touch()
    inner = run(folder, "features/", "--gate", "selected", *workers)
    assert inner.code == 10, inner.out
    assert inner.verdicts == {"first": "passed"}
    assert "the lab is still there" in inner.record["dirty"][0]


@pytest.mark.parametrize("to_all", [pytest.param(True, id="terminal"), pytest.param(False, id="controller only", marks=pytest.mark.proof)])
def test_ctrl_c_under_two_workers(tmp_path: Path, *, to_all: bool) -> None:
    waits = "waits|When it is broken on purpose|When it waits for somebody to press Ctrl-C"
    folder = project(
        tmp_path / "p", text=feature("first|When nothing happens", waits, *(f"{n} never|When nothing happens" for n in range(6)))
    )
    output = tmp_path / "output"
    with output.open("w") as file:
        arguments = command("features/", "-n", "2", "-v", "--maxschedchunk", "1", "-k", "first or waits" if to_all else "")
        process = subprocess.Popen(arguments, cwd=folder, env=environment(), stdout=file, stderr=file, process_group=0)
    wait_until((folder / "waiting").exists, bool, what="the scenario waits", within=timedelta(seconds=120))
    wait_until(lambda: "PASSED" in output.read_text(), bool, what="the first one passed", within=timedelta(seconds=120))
    if to_all:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    process.wait(timeout=120)
    inner = Inner(process.returncode, output.read_text(), folder)
    assert inner.code == 2, inner.out
    assert inner.verdicts["first"] == "passed"
    assert inner.verdicts["waits"] == ("not run" if to_all else "passed")
    assert (folder / "log.txt").read_text().startswith("heal 2\nheal 1\n")
    assert inner.record["interrupted"]
