"""What OpenTofu says about locks, captured from real runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probes.lock_error import LockInfo, parse_lock_error

Captured = Callable[[str], str]
HOLDER = "da701dec-121a-2203-4176-ec02b79d5e60"


@pytest.mark.parametrize("form", ["", "_colour", "_json", "_narrow", "_timeout"])
def test_a_held_lock_is_recognised_however_it_is_printed(captured: Captured, form: str) -> None:
    error = parse_lock_error(captured(f"refused_apply{form}.txt"))
    assert error is not None
    assert (error.status_code, error.code, error.held_by_someone) == (412, "PreconditionFailed", True)
    assert error.info is not None
    assert (error.info.id, error.info.operation, error.info.who) == (HOLDER, "OperationTypeApply", "tofu@runner01")
    assert error.info.hostname == "runner01"
    assert error.info.path == "tofu-state/acceptance/run/slug/terraform.tfstate"
    assert error.info.version == "1.12.6"


def test_message_and_lock_object_name_the_same_holder(captured: Captured) -> None:
    error = parse_lock_error(captured("refused_apply.txt"))
    written = LockInfo.from_json(captured("lock_object.json").encode())
    assert error is not None
    assert error.info is not None
    assert (error.info.id, error.info.who, error.info.path) == (written.id, written.who, written.path)


def test_a_missing_permission_is_no_holder(captured: Captured) -> None:
    error = parse_lock_error(captured("refused_forbidden.txt"))
    assert error is not None
    assert (error.acquiring, error.status_code, error.code, error.info) == (True, 403, "AccessDenied", None)
    assert not error.held_by_someone


def test_a_foreign_lock_at_release_is_no_refusal(captured: Captured) -> None:
    error = parse_lock_error(captured("releasing_foreign_lock.txt"))
    assert error is not None
    assert error.summary == "Error releasing the state lock"
    assert error.info is not None
    assert error.info.who == "tofu@runner02"
    assert not error.held_by_someone


def test_a_lost_lock_at_release_carries_its_cause(captured: Captured) -> None:
    error = parse_lock_error(captured("releasing_lost_lock.txt"))
    assert error is not None
    assert (error.acquiring, error.status_code, error.code, error.info) == (False, 404, "NoSuchKey", None)


def test_a_release_error_with_status_412_is_no_holder(captured: Captured) -> None:
    text = captured("refused_apply.txt").replace("acquiring", "releasing")
    error = parse_lock_error(text)
    assert error is not None
    assert error.status_code == 412
    assert not error.held_by_someone


def test_force_unlock_with_a_wrong_id_names_the_holder(captured: Captured) -> None:
    error = parse_lock_error(captured("force_unlock_wrong_id.txt"))
    assert error is not None
    assert error.summary == "Failed to unlock state"
    assert error.info is not None
    assert error.info.id == HOLDER
    assert not error.held_by_someone


@pytest.mark.parametrize("output", ["", "Apply complete! Resources: 1 added", '{"@level":"error" broken', "Error: Unsupported block type"])
def test_other_output_is_no_lock_error(output: str) -> None:
    assert parse_lock_error(output) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"ID": ""}', b"not json"])
def test_what_is_no_lock_object_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no lock object|Expecting value"):
        LockInfo.from_json(content)


def test_two_holders_in_one_block_are_none(captured: Captured) -> None:
    text = captured("refused_apply.txt").replace("  Who: ", "  ID:        bbbbbbbb\n  Who: ")
    error = parse_lock_error(text)
    assert error is not None
    assert (error.status_code, error.info) == (412, None)


def test_a_refusal_tells_itself_in_one_line(captured: Captured) -> None:
    assert str(parse_lock_error(captured("refused_apply.txt"))) == (
        f"Error acquiring the state lock (412 PreconditionFailed; held by tofu@runner01 for OperationTypeApply, ID {HOLDER})"
    )
    assert str(parse_lock_error("Error acquiring the state lock")) == "Error acquiring the state lock (no status; no holder named)"


def test_lines_that_are_no_diagnostics_hide_none(captured: Captured) -> None:
    error = parse_lock_error('Initializing the backend...\n{"@level":"error" broken\n' + captured("refused_apply_json.txt"))
    assert error is not None
    assert error.held_by_someone
