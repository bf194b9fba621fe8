"""What OpenTofu says about a lock, damaged: no holder or the right one, no status or the right one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.apply_outcome import created_at
from probes.lock_error import LockError, LockInfo, parse_lock_error
from tests.unit.properties.damage import WORDS, cut, damaged, interleaved

DATA = Path(__file__).parents[1] / "probes" / "data"
FORMS = [f"refused_apply{form}.txt" for form in ("", "_colour", "_json", "_narrow", "_timeout")] + ["force_unlock_wrong_id.txt"]
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="-_.@"), min_size=1, max_size=30)


def captured(name: str) -> str:
    """A file of output."""
    return (DATA / name).read_text(encoding="utf-8")


def expect_right_or_nothing(found: LockError | None, whole: LockError, *, where: str) -> None:
    """No field may say something else than the whole output does."""
    if found is None:
        return
    assert found.summary == whole.summary, where
    assert found.status_code in {None, whole.status_code}, where
    assert found.code in {"", whole.code}, where
    if found.info is not None and whole.info is not None:
        for field, value in vars(found.info).items():
            assert value in {"", getattr(whole.info, field)}, f"{field}: {where}"
        assert found.info.id == whole.info.id


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_output_that_was_cut_or_mixed_up_names_nobody_else(form: str, data: st.DataObject) -> None:
    text = captured(form)
    whole = parse_lock_error(text)
    assert whole is not None
    noise = "Initializing the backend...\n\nterraform_data.hold: Creating...\n"
    ways = [cut(text), interleaved(text, noise), st.just(text + text), st.just(text.replace("\n", "\r\n")), st.just(f"\ufeff{text}")]
    seen = data.draw(st.one_of(ways))
    expect_right_or_nothing(parse_lock_error(seen), whole, where=seen)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_any_output_can_be_read(form: str, data: st.DataObject) -> None:
    found = parse_lock_error(data.draw(damaged(captured(form), captured("releasing_foreign_lock.txt"))))
    assert found is None or str(found)


@given(st.data())
def test_two_refusals_on_one_terminal_are_not_made_into_one(data: st.DataObject) -> None:
    mine = captured("refused_apply.txt")
    other = mine.replace("da701dec", "bbbbbbbb").replace("tofu@runner01", "tofu@runner02").replace("slug/", "other/")
    found = parse_lock_error(data.draw(interleaved(mine, other)))
    holders = {
        (error.info.id, error.info.who, error.info.path) for text in (mine, other) if (error := parse_lock_error(text)) and error.info
    }
    assert len(holders) == 2
    if found is not None and found.info is not None:
        complete = all([found.info.id, found.info.who, found.info.path])
        assert not complete or (found.info.id, found.info.who, found.info.path) in holders


@given(NAMES, NAMES, NAMES, st.sampled_from([400, 403, 412, 503]), st.booleans())
def test_a_message_is_read_as_it_was_written(identity: str, path: str, who: str, status: int, as_json: bool) -> None:
    detail = (
        f"Error message: operation error S3: PutObject, https response error StatusCode: {status}, RequestID: A, HostID: B, api error "
        f"Refused: no\nLock Info:\n  ID:        {identity}\n  Path:      {path}\n  Operation: apply\n  Who:       {who}\n  Version:   1\n"
        "  Created:   2026-11-23 17:53:51 +0000 UTC\n  Info:      \n\n\nOpenTofu acquires a state lock\n"
    )
    summary = "Error acquiring the state lock"
    line = {"@level": "error", "diagnostic": {"severity": "error", "summary": summary, "detail": detail}}
    found = parse_lock_error(json.dumps(line, separators=(",", ":")) + "\n" if as_json else f"\nError: {summary}\n\n{detail}")
    assert found is not None
    assert (found.status_code, found.code) == (status, "Refused")
    assert found.info == LockInfo(identity, path, "apply", who, "1", "2026-11-23 17:53:51 +0000 UTC")


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner), max_leaves=5
    )
)
def test_diagnostics_of_any_shape_can_be_read(diagnostic: object) -> None:
    line = json.dumps({"@level": "error", "diagnostic": diagnostic}, separators=(",", ":"))
    assert parse_lock_error(f"{line}\n") is None


@given(st.datetimes().map(lambda time: time.replace(microsecond=0)), st.integers(0, 999_999_999), st.booleans())
def test_both_notations_of_a_time_are_read(time: object, nanoseconds: int, in_object: bool) -> None:
    date, hour = str(time).split(" ")
    text = f"{date}T{hour}.{nanoseconds:09}Z" if in_object else f"{date} {hour}.{nanoseconds:09} +0000 UTC"
    found = created_at(LockInfo("a", created=text))
    assert found is not None
    assert str(found.replace(microsecond=0, tzinfo=None)) == str(time)
    assert found.microsecond == nanoseconds // 1000


@given(damaged("2026-11-23T17:53:51.122277818Z") | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?.*", fullmatch=True))
def test_a_time_that_is_none_is_not_made_into_one(text: str) -> None:
    found = created_at(LockInfo("a", created=text))
    assert found is None or text.startswith(f"{found:%Y-%m-%d}".zfill(10))


@pytest.mark.parametrize(
    "text", ["2026-13-45T17:53:51Z", "2026-11-23T17:53:51+02:00", "2026-11-23 17:53:51 +0200 CEST", "2026-11-23T17:53"]
)
def test_a_time_of_another_zone_or_none_is_not_taken_for_utc(text: str) -> None:
    assert created_at(LockInfo("a", created=text)) is None
