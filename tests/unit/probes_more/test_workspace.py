"""Configurations that jobs bring along: what is in them, and the wait of a holder, run by a shell."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from probes.workspace import S3_BACKEND, Workspace, counted, fresh_value, holding, local

VALUE = 'a "b"'


def test_files_are_packed_for_everybody_to_read() -> None:
    before = int(time.time())
    packed = Workspace("key", {"main.tf": "ä\n"}).with_files({"other.tf": ""}).packed()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert [(each.name, each.mode, each.size) for each in archive] == [("main.tf", 0o644, 3), ("other.tf", 0o644, 0)]
        assert all(before <= each.mtime <= time.time() for each in archive)
        content = archive.extractfile("main.tf")
        assert content is not None
        assert content.read() == "ä\n".encode()


@pytest.mark.parametrize("made", [counted("key", VALUE), holding("key", VALUE), local("key", VALUE)])
def test_there_is_one_resource_whose_input_is_the_value(made: Workspace) -> None:
    assert "  count = 1\n" in made.files["main.tf"]
    assert f"  input = {json.dumps(VALUE)}\n" in made.files["main.tf"]
    assert not made.own_backend


def test_as_many_resources_as_are_wanted() -> None:
    for made in (counted("key", "v", resources=7), holding("key", "v", resources=7), local("key", "v", resources=7)):
        assert "  count = 7\n" in made.files["main.tf"]


def test_whose_backend_it_is() -> None:
    assert counted("key", "v").files["backend.tf"] == holding("key", "v").files["backend.tf"] == S3_BACKEND
    assert counted("key", "v", backend="terraform {}\n").own_backend
    later = local("key", "v")
    assert later.files["backend.tf.later"] == S3_BACKEND
    assert "backend.tf" not in later.files
    assert not Workspace("key").own_backend


def test_no_value_is_used_twice() -> None:
    values = {fresh_value() for _ in range(1000)}
    assert len(values) == 1000
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in values)


def wait_of(made: Workspace) -> str:
    found = re.search(r"    command = (.*)\n", made.files["hold.tf"])
    assert found is not None
    return str(json.loads(found[1]))


@pytest.mark.parametrize("released", [True, False])
def test_a_holder_says_so_and_waits_for_its_release(tmp_path: Path, released: bool) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    if released:
        (tmp_path / "release").touch()
    made, began = holding("key", "v", hold_seconds=1), time.monotonic()
    assert made.holding_marker not in made.files["hold.tf"], "OpenTofu echoes the command"
    done = subprocess.run(["sh", "-c", wait_of(made)], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    said = [made.holding_marker] if released else [made.holding_marker, "never released"]
    assert (done.stdout.split("\n")[:-1], done.stderr, done.returncode) == (said, "", 0 if released else 3)
    assert released or time.monotonic() - began >= 1


def test_a_holder_waits_a_minute_and_looks_ten_times_a_second() -> None:
    wait = wait_of(holding("key", "v"))
    assert "[ $i -le 600 ]" in wait
    assert "sleep 0.1;" in wait
