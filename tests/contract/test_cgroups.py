"""A booting machine adds and removes control groups all the time; who looks or removes meanwhile is not disturbed."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from provisioning.embedded import cgroups
from provisioning.embedded.cgroups import Cgroup


def test_groups_that_come_and_go_disturb_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    (tmp_path / "cgroup.controllers").touch()
    lasting = tmp_path / "lab" / "runner01"
    lasting.mkdir(parents=True)
    (lasting / "cgroup.procs").write_text("7\n", encoding="utf-8")
    ended = threading.Event()

    def boot() -> None:
        while not ended.is_set():
            services = [lasting / "system.slice" / f"{number}.service" for number in range(20)]
            for service in services:
                service.mkdir(parents=True, exist_ok=True)
            for service in services:
                with suppress(OSError):
                    service.rmdir()

    booting = threading.Thread(target=boot)
    booting.start()
    try:
        assert all(Cgroup("lab").processes() == {7} for _ in range(300))
    finally:
        ended.set()
        booting.join()
    (lasting / "cgroup.procs").unlink()
    Cgroup("lab").remove()
    assert not Cgroup("lab").exists()
