"""Fake programs are scripts, in a cache and on a PATH of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.toolchain import lookup

Fake = Callable[[Path, str], Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; PATH holds what a shell needs, and no program of ours."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(lookup, "is_script", lambda _: False)
    (tmp_path / "bin").mkdir()
    return tmp_path / "cache" / "tofu-ha-acceptance"


@pytest.fixture
def on_path(cache: Path, tmp_path: Path) -> Path:
    """The folder that is first on PATH."""
    assert not cache.exists()
    return tmp_path / "bin"


@pytest.fixture
def fake() -> Fake:
    """Writes a program that runs a shell script."""

    def write(path: Path, script: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return write
