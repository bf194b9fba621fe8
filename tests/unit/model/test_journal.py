"""What a run owes is known from its journal, whenever it died."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from model.errors import BadInput
from model.journal import Began, Broke, Ended, Healed, Journal, file_name, is_alive, owes, read_journal, unsettled
from model.remedy import Deed, Remedy

BEGAN = Began("20260101-000000-abcd", "my-lab", "/labs/my-lab.toml", "acceptance/20260101-000000-abcd/")
FIRST = Broke(1, "SSH stopped on runner01", (Remedy("runner01", "systemctl start ssh.service"),))
SECOND = Broke(2, "plug pulled on runner02", (Remedy("runner02", deed=Deed.POWER_ON),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "20260101-000000-abcd" / file_name()


def written(path: Path, *entries: Began | Broke | Healed | Ended) -> Path:
    journal = Journal(path)
    for entry in entries:
        journal.write(entry)
    journal.close()
    return path


def test_what_was_broken_and_not_healed_is_owed(path: Path) -> None:
    debt = read_journal(written(path, BEGAN, FIRST, SECOND, Healed(1)))
    assert debt.began is not None
    assert (debt.began.run, debt.began.lab_file, debt.ended) == (BEGAN.run, BEGAN.lab_file, False)
    assert [(owed.what, owed.remedies) for owed in debt.broken.values()] == [(SECOND.what, SECOND.remedies)]
    assert debt.broken[2].at.endswith("+00:00")


def test_nothing_is_owed_in_the_end(path: Path) -> None:
    written(path, BEGAN, FIRST, Healed(1), Ended())
    assert read_journal(path).ended
    assert not owes(path.parent)
    assert list(unsettled(path.parent.parent)) == []


def test_a_last_line_that_was_cut_is_left_out(path: Path) -> None:
    written(path, BEGAN, FIRST, SECOND)
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert list(read_journal(path).broken) == [1]


@pytest.mark.parametrize("line", ["{}", "nothing", '{"event": "broke", "fault": "one"}', '{"event": "danced"}'])
def test_another_line_that_is_no_entry_is_refused_by_its_number(path: Path, line: str) -> None:
    written(path, BEGAN)
    path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=rf"{path.name}:2 is no line of a journal"):
        read_journal(path)
    assert owes(path.parent), "what cannot be read may owe something"


def test_the_first_thing_that_is_wrong_with_a_line_is_told(path: Path) -> None:
    written(path, BEGAN)
    line = '{"event": "broke", "fault": "one", "what": "a", "remedies": 7}'
    path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="Input should be a valid integer"):
        read_journal(path)


def test_a_journal_that_is_not_there(path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_journal(path)
    assert not owes(path.parent)


def test_runs_that_live_owe_nothing_yet(path: Path) -> None:
    journal = Journal(path)
    journal.write(BEGAN)
    seen = multiprocessing.get_context("spawn").Pool(1)
    try:
        assert seen.apply(is_alive, (path,))
        assert list(seen.apply(_unsettled, (path.parent.parent, "/labs/my-lab.toml"))) == []
        journal.close()
        assert not seen.apply(is_alive, (path,))
        assert list(seen.apply(_unsettled, (path.parent.parent, "/labs/my-lab.toml"))) == [path]
        assert list(seen.apply(_unsettled, (path.parent.parent, "/labs/another.toml"))) == []
    finally:
        seen.terminate()
        seen.join()


def _unsettled(runs: Path, lab_file: str) -> list[Path]:
    return [debt.path for debt in unsettled(runs, Path(lab_file))]


def test_each_process_of_a_run_has_its_own(tmp_path: Path) -> None:
    written(tmp_path / "20260101-000000-abcd" / file_name("gw0"), BEGAN, Ended())
    written(tmp_path / "20260101-000000-abcd" / file_name("gw1"), BEGAN, FIRST)
    assert owes(tmp_path / "20260101-000000-abcd")
    assert [debt.path.name for debt in unsettled(tmp_path)] == ["journal-gw1.ndjson"]


def test_who_lives_is_told_from_who_died_also_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "20260101-000000-abcd" / file_name()
    journal = Journal(path)
    journal.write(BEGAN)
    assert is_alive(path)
    with pytest.raises(BlockingIOError):
        Journal(path)
    journal.close()
    assert not is_alive(path)


def test_the_newest_run_comes_first_and_words_stay_readable(tmp_path: Path) -> None:
    for run in ("20260101-000000-abcd", "20260103-000000-abcd", "20260102-000000-abcd"):
        written(tmp_path / run / file_name(), BEGAN, Broke(1, "Kabel gezogen, Zürich", ()))
    assert [debt.path.parent.name[:8] for debt in unsettled(tmp_path)] == ["20260103", "20260102", "20260101"]
    assert "Zürich" in (tmp_path / "20260101-000000-abcd" / file_name()).read_text(encoding="utf-8")
