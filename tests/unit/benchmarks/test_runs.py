"""From which revision on runs of the gate can be compared."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.soak import runs


def git(place: Path, *words: str) -> str:
    named = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    return subprocess.run(["git", *named, *words], cwd=place, capture_output=True, text=True, check=True).stdout.strip()


def commit(place: Path, file: str, text: str) -> str:
    (place / file).parent.mkdir(exist_ok=True)
    (place / file).write_text(text)
    git(place, "add", file)
    git(place, "commit", "-qm", text)
    return git(place, "rev-parse", "--short", "HEAD")


def test_what_no_gate_runs_changes_no_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    monkeypatch.setattr(runs, "revision", lambda: "changed by hand")
    commit(tmp_path, "steps/a.py", "one")
    second = commit(tmp_path, "steps/a.py", "two")
    commit(tmp_path, "docs/a.md", "prose")
    assert runs.last_change() == second
    (tmp_path / "docs/a.md").write_text("more prose")
    assert runs.last_change() == second
    (tmp_path / "steps/a.py").write_text("three")
    assert runs.last_change() == "changed by hand"
