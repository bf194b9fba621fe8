"""A role is data: it can be joined and changed, and a change that changes nothing is refused."""

from __future__ import annotations

import pytest

from provisioning.roles import Applied, File


@pytest.fixture
def applied() -> Applied:
    return Applied(("a",), ("p",), {"/etc/a": File("/etc/a", "one two two\n", 0o600, "root:staff")}, ("a.service", "b.service"))


def test_an_edit_changes_one_file_and_nothing_else(applied: Applied) -> None:
    edited = applied.with_edit("/etc/a", "two", "three")
    assert edited.files["/etc/a"] == File("/etc/a", "one three three\n", 0o600, "root:staff")
    assert applied.files["/etc/a"].content == "one two two\n", "the original stays"
    assert (edited.packages, edited.programs, edited.enabled) == (applied.packages, applied.programs, applied.enabled)


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("/etc/a", "four", "five", "does not contain 'four'"),
        ("/etc/a", "two", "two", "would stay as it is"),
        ("/etc/a", "", "five", "does not contain ''"),
        ("/etc/b", "two", "five", "there is no /etc/b; there are /etc/a"),
    ],
)
def test_an_edit_that_changes_nothing_is_refused(applied: Applied, path: str, old: str, new: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        applied.with_edit(path, old, new)


def test_a_unit_is_left_out_once_it_is_there(applied: Applied) -> None:
    assert applied.without_unit("a.service").enabled == ("b.service",)
    with pytest.raises(ValueError, match=r"minio\.service is not among what starts at boot: a\.service, b\.service"):
        applied.without_unit("minio.service")


def test_files_are_added_or_replaced(applied: Applied) -> None:
    more = applied.with_files(File("/etc/a", "new"), File("/etc/b", ""))
    assert {path: file.content for path, file in more.files.items()} == {"/etc/a": "new", "/etc/b": ""}


def test_two_roles_are_joined(applied: Applied) -> None:
    both = applied.merged(Applied(("b",), ("q",), {"/etc/a": File("/etc/a", "later")}, ("c.service",)))
    assert (both.packages, both.programs, both.enabled) == (("a", "b"), ("p", "q"), ("a.service", "b.service", "c.service"))
    assert both.files["/etc/a"].content == "later"
