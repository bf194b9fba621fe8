"""Places of a host that exist only in a test; nothing here needs root."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning import places
from provisioning.embedded import cgroups, network


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where labs are."""
    folder = tmp_path / "lib" / "labs"
    monkeypatch.setattr(places, "labs", lambda: folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where network namespaces are mounted."""
    folder = tmp_path / "netns"
    folder.mkdir()
    monkeypatch.setattr(network, "NAMESPACES", folder)
    return folder


@pytest.fixture(params=["v1", "v2"])
def hierarchy(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Control groups of either kind of host, as plain folders."""
    root = tmp_path / "cgroup"
    root.mkdir()
    if request.param == "v2":
        (root / "cgroup.controllers").write_text("cpu memory pids\n")
    else:
        for name in ("systemd", "memory", "pids", "freezer", "cpu"):
            (root / name).mkdir()
    monkeypatch.setattr(cgroups, "ROOT", root)
    _rmdir = Path.rmdir

    def rmdir(folder: Path) -> None:
        """As the kernel does it: a group's control files are no obstacle."""
        for file in [path for path in folder.iterdir() if path.name.startswith(("cgroup.", "memory.", "cpu.", "freezer."))]:
            file.unlink()
        _rmdir(folder)

    monkeypatch.setattr(Path, "rmdir", rmdir)
    return root
