"""Control groups on both kinds of hosts: limits, freeze, processes, removal."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from model.topology import GUIDE_RUNNER, Limits
from provisioning.embedded import cgroups
from provisioning.embedded.cgroups import MOST_REAL_TIME_MICROSECONDS, REAL_TIME_MICROSECONDS, Cgroup, labs_with_groups

PATH = "tofu-ha-acceptance/a/runner01"


def is_v2(hierarchy: Path) -> bool:
    return (hierarchy / "cgroup.controllers").exists()


def folders(hierarchy: Path, path: str = PATH) -> list[Path]:
    if is_v2(hierarchy):
        return [hierarchy / path]
    return sorted(entry / path for entry in hierarchy.iterdir())


def read(hierarchy: Path, name: str) -> str:
    (found,) = [path for path in hierarchy.rglob(name) if str(path.parent).endswith(PATH)]
    return found.read_text()


def test_a_group_is_in_every_hierarchy(hierarchy: Path) -> None:
    group = Cgroup(PATH)
    assert not group.exists()
    group.create(Limits())
    assert group.exists()
    assert all(folder.is_dir() for folder in folders(hierarchy))
    group.create(Limits())
    assert labs_with_groups("tofu-ha-acceptance") == {"a"}
    assert labs_with_groups("another") == set()


def test_the_guides_limits_are_set(hierarchy: Path) -> None:
    Cgroup(PATH).create(GUIDE_RUNNER)
    if is_v2(hierarchy):
        assert (read(hierarchy, "memory.max"), read(hierarchy, "cpu.max")) == (str(2048 * 1024 * 1024), "200000 100000")
        for part in ("", "tofu-ha-acceptance", "tofu-ha-acceptance/a"):
            assert (hierarchy / part / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    else:
        assert read(hierarchy, "memory.limit_in_bytes") == str(2048 * 1024 * 1024)
        assert int(read(hierarchy, "cpu.cfs_quota_us")) / int(read(hierarchy, "cpu.cfs_period_us")) == 2


def test_no_limit_is_no_limit(hierarchy: Path) -> None:
    Cgroup(PATH).create(Limits())
    assert not [path for folder in folders(hierarchy) for path in folder.iterdir()]


def test_each_machine_weighs_as_much_as_a_process_of_the_host(hierarchy: Path) -> None:
    for path in (PATH, "tofu-ha-acceptance/a/runner02", "tofu-ha-acceptance/b/runner01"):
        Cgroup(path).create(Limits())
    name, unit = ("cpu.weight", 100) if is_v2(hierarchy) else ("cpu.shares", 1024)
    weights = {
        path.parent.name: int(path.read_text()) // unit
        for path in hierarchy.rglob(name)
    }  # fmt: skip
    assert weights == {"tofu-ha-acceptance": 3, "a": 2, "b": 1}


def test_real_time_priority_is_shared_out_where_the_kernel_does_it_by_group(hierarchy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel makes the file with the group."""
    made = Path.mkdir

    def mkdir(folder: Path, *args: Any, **kwargs: Any) -> None:
        made(folder, *args, **kwargs)
        if "cpu" in folder.parts:
            for group in (folder, *folder.parents[:2]):
                (group / "cpu.rt_runtime_us").touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    for path in (PATH, "tofu-ha-acceptance/a/runner02"):
        Cgroup(path).create(Limits())
    granted = [[path.parent.name, int(path.read_text())] for path in sorted(hierarchy.rglob("cpu.rt_runtime_us")) if path.stat().st_size]
    machine = REAL_TIME_MICROSECONDS
    wanted = [["a", 2 * machine], ["runner01", machine], ["runner02", machine], ["tofu-ha-acceptance", MOST_REAL_TIME_MICROSECONDS]]
    assert sorted(granted) == ([] if is_v2(hierarchy) else wanted)


def test_labs_for_which_no_real_time_is_left_go_without(hierarchy: Path) -> None:
    group = folders(hierarchy)[-1].parents[1] if is_v2(hierarchy) else hierarchy / "cpu" / "tofu-ha-acceptance"
    (group / "a" / "runner01" / "cpu.rt_runtime_us").mkdir(parents=True)
    (group / "cpu.rt_runtime_us").mkdir()
    Cgroup(PATH).create(Limits())
    assert Cgroup(PATH).exists()


def test_freezing_is_seen_and_undone(hierarchy: Path) -> None:
    group = Cgroup(PATH)
    group.create(Limits())
    assert not group.is_frozen()
    group.set_frozen(frozen=True)
    assert group.is_frozen()
    assert read(hierarchy, "cgroup.freeze" if is_v2(hierarchy) else "freezer.state") == ("1" if is_v2(hierarchy) else "FROZEN")
    group.set_frozen(frozen=False)
    assert not group.is_frozen()


def test_processes_are_those_of_the_group_and_below(hierarchy: Path) -> None:
    group = Cgroup(PATH)
    group.create(Limits())
    (folders(hierarchy)[0] / "cgroup.procs").write_text("11\n12\n")
    below = folders(hierarchy)[-1] / "payload"
    below.mkdir()
    (below / "cgroup.procs").write_text("12\n13\n")
    assert group.processes() == {11, 12, 13}
    assert Cgroup("tofu-ha-acceptance/b").processes() == set()


def test_killing_ends_all_of_them_even_if_one_just_ended(hierarchy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = Cgroup(PATH)
    group.create(Limits())
    (folders(hierarchy)[0] / "cgroup.procs").write_text("11\n12\n13\n")
    killed: list[tuple[int, int]] = []

    def kill(process: int, number: int) -> None:
        killed.append((process, number))
        if process == 12:
            raise ProcessLookupError

    monkeypatch.setattr(os, "kill", kill)
    group.kill()
    assert sorted(killed) == [(number, signal.SIGKILL) for number in (11, 12, 13)]


def test_removal_takes_the_groups_below_first_and_may_be_repeated(hierarchy: Path) -> None:
    group = Cgroup("tofu-ha-acceptance/a")
    group.create(Limits())
    Cgroup(PATH).create(Limits())
    neighbour = Cgroup("tofu-ha-acceptance/a-b")
    neighbour.create(Limits())
    group.remove()
    group.remove()
    assert not group.exists()
    assert neighbour.exists()


def test_a_group_that_still_holds_something_stays(hierarchy: Path) -> None:
    group = Cgroup(PATH)
    group.create(Limits())
    (folders(hierarchy)[0] / "a-process-that-is-ending").touch()
    group.remove()
    assert group.exists()


def test_a_process_joins_in_every_hierarchy(hierarchy: Path) -> None:
    group = Cgroup(PATH)
    group.create(Limits())
    assert set(group.joining_command().split("; ")) == {f"echo $$ > {folder}/cgroup.procs" for folder in folders(hierarchy)}


def test_memory_in_use_is_read(hierarchy: Path) -> None:
    group = Cgroup(PATH)
    group.create(Limits())
    folder, name = (hierarchy, "memory.current") if is_v2(hierarchy) else (hierarchy / "memory", "memory.usage_in_bytes")
    (folder / PATH / name).write_text("4096\n")
    assert group.memory_bytes() == 4096


def test_processor_sets_are_inherited_from_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    parts = ["", "tofu-ha-acceptance", "tofu-ha-acceptance/a", PATH]
    for part in parts:
        (tmp_path / "cpuset" / part).mkdir(parents=True, exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            (tmp_path / "cpuset" / part / name).write_text("0-1\n" if part == "" else "\n")
    Cgroup(PATH).create(Limits())
    assert {(tmp_path / "cpuset" / part / "cpuset.cpus").read_text() for part in parts} == {"0-1\n"}
