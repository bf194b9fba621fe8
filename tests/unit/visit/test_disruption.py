"""What is announced, and what is run around, before and after something is disrupted in a lab that is not ours."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures import disruption
from fixtures.disruption import announced
from model.catalogue import Catalogue
from model.features import read_features
from model.run import RUN, SCENARIO, Setting
from model.verdicts import Gate
from model.waiting import wait_until
from provisioning.existing.around import AroundDisruption
from provisioning.existing.labfile import Around, LabFile
from provisioning.existing.reading import read_lab_file

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "labs/example.toml").read_text(encoding="utf-8")


def around(folder: Path, before: str | None, after: str | None, within: float = 60) -> AroundDisruption:
    return AroundDisruption(Around(before=before, after=after, within=within), folder)


def lines(folder: Path) -> list[str]:
    path = folder / "journal"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def test_each_is_run_once_beside_the_lab_file(tmp_path: Path) -> None:
    made = around(tmp_path, "echo before >> journal", "echo after >> journal")
    assert made.begin() == made.begin() == ""
    assert lines(tmp_path) == ["before"]
    assert made.end() == made.end() == ""
    assert lines(tmp_path) == ["before", "after"]


def test_after_is_not_run_where_nothing_began(tmp_path: Path) -> None:
    assert around(tmp_path, "echo before >> journal", "echo after >> journal").end() == ""
    assert lines(tmp_path) == []


def test_a_failing_before_is_told_each_time_and_after_is_run_all_the_same(tmp_path: Path) -> None:
    made = around(tmp_path, "echo before >> journal; echo no such silence >&2; exit 3", "echo after >> journal")
    told = made.begin()
    assert told.endswith("(around_disruption.before of the lab file) ended with 3: no such silence")
    assert made.begin() == told
    assert made.end() == ""
    assert lines(tmp_path) == ["before", "after"]


def test_a_failing_or_slow_after_is_told(tmp_path: Path) -> None:
    failing = around(tmp_path, None, "exit 1")
    assert failing.begin() == ""
    assert failing.end().endswith("ended with 1: it said nothing")
    slow = around(tmp_path, None, "sleep 5", within=0.1)
    assert slow.begin() == ""
    assert slow.end().endswith("did not end within 0.1 s")


def test_nothing_goes_on_of_one_that_was_too_slow(tmp_path: Path) -> None:
    slow = around(tmp_path, "sleep 300 & echo $! > child; wait", None, within=0.5)
    assert slow.begin().endswith("did not end within 0.5 s")
    child = Path("/proc") / (tmp_path / "child").read_text(encoding="utf-8").strip() / "stat"
    wait_until(
        lambda: child.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] if child.exists() else "gone",
        lambda state: state in {"gone", "Z"},
        what="what it started has ended",
        within=timedelta(seconds=5),
    )


def test_what_could_not_be_looked_at_is_said_once() -> None:
    written = list[str]()
    reporter = SimpleNamespace(ensure_newline=lambda: None, write_line=written.append)
    config = SimpleNamespace(stash=pytest.Stash(), pluginmanager=SimpleNamespace(get_plugin=lambda _name: reporter))
    for unseen in (("sessions on runner02: no answer",), ("sessions on runner02: no answer", "locks in bucket states: AccessDenied"), ()):
        disruption._say_what_was_not_seen(config, unseen)  # type: ignore[arg-type]
    assert [each.removeprefix("note: nobody can tell whether somebody works there: ") for each in written] == [
        "sessions on runner02: no answer",
        "locks in bucket states: AccessDenied",
    ]


def test_after_is_made_up_for_a_run_that_died(tmp_path: Path) -> None:
    assert around(tmp_path, "echo before >> journal", "echo after >> journal").make_up() == ""
    assert lines(tmp_path) == ["after"]
    assert around(tmp_path, None, None).make_up() == ""


def told(monkeypatch: pytest.MonkeyPatch, file: LabFile, permitted: tuple[str, ...]) -> list[str]:
    catalogue = Catalogue.load(ROOT / "features/checklist.toml")
    scenarios = [each for each in read_features(ROOT / "features", ROOT, catalogue) if set(each.checks) & {"V2", "V6", "V7"}]
    setting = Setting("existing", "production", "gate", Gate.HARMLESS, permitted=permitted)
    config = SimpleNamespace(stash={RUN: SimpleNamespace(setting=setting)})
    monkeypatch.setattr(disruption, "lab_file_of", lambda _config: file)
    return list(announced(config, [SimpleNamespace(stash={SCENARIO: each}) for each in scenarios]))  # type: ignore[arg-type, misc]


def test_what_will_be_disrupted_is_announced_with_its_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(TEXT.replace("# foreign_locks = true", "foreign_locks = false"), encoding="utf-8")
    said = told(monkeypatch, read_lab_file(path), ("runner",))
    assert said[0].startswith("will be disrupted, in ")
    assert any(each.startswith("  runner: runner01, runner02, in ") for each in said)
    assert not any("storage" in each for each in said)
    assert said[-2:] == [
        "  locks of other states are not looked at (permissions.foreign_locks)",
        "  alerts are not silenced (around_disruption.before)",
    ]


def test_what_is_permitted_in_vain_is_announced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(TEXT.replace("disruption = []", 'disruption = ["runner", "storage"]'), encoding="utf-8")
    file = read_lab_file(path)
    assert f"  {file.withheld}" in told(monkeypatch, file, file.permitted)


def test_a_run_that_disrupts_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, read_lab_file(ROOT / "labs/example.toml"), ()) == ["nothing in the lab will be disrupted"]
