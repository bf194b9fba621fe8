"""What lies on a storage node's own drive, read from what the node prints."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta

import pytest

from model.lab import CommandResult
from probes.drives import drive_of, has_version

VERSION = "9c69b28a-1242-4ed4-8a77-b4390b25f75c"


class Node:
    """Answers as a storage node does."""

    name = "storage01"

    def __init__(self, volume: str, content: bytes | None) -> None:
        """Serve a volume; what `xl.meta` holds, None where there is none."""
        self.volume, self.content = volume, content
        self.asked: list[str] = []

    def run(self, command: str) -> CommandResult:
        self.asked.append(command)
        if command.startswith("tr "):
            return CommandResult(command, 0, f"{self.volume}\n", "", timedelta())
        if self.content is None:
            return CommandResult(command, 1, "", "No such file or directory", timedelta())
        return CommandResult(command, 0, base64.b64encode(self.content).decode(), "", timedelta())


@pytest.mark.parametrize(
    ("volume", "drive"), [("http://10.1.0.14:9000/mnt/minio-data", "/mnt/minio-data"), ("/mnt/minio-data", "/mnt/minio-data"), ("", "")]
)
def test_the_drive_stands_last_on_the_command_line(volume: str, drive: str) -> None:
    assert drive_of(Node(volume, None)) == drive  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "there"),
    [(b"XL2 " + uuid.UUID(VERSION).bytes + b"x", True), (b"XL2 " + uuid.UUID(int=1).bytes, False), (b"", False), (None, False)],
    ids=["there", "another", "empty", "no file"],
)
def test_a_version_is_there_when_its_bytes_are(content: bytes | None, there: bool) -> None:
    node = Node("http://10.1.0.14:9000/mnt/minio-data", content)
    assert has_version(node, "states", "it's/a key", VERSION) is there  # type: ignore[arg-type]
    assert node.asked[-1] == """base64 --wrap=0 '/mnt/minio-data/states/it'"'"'s/a key/xl.meta'"""
