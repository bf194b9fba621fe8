"""What a dead run left is found by name; what is in use or kept is left alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from model.errors import LabUnavailable
from model.topology import Limits
from provisioning.embedded import commands, network, removal
from provisioning.embedded.cgroups import Cgroup
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork, namespaces
from provisioning.embedded.ownership import Ownership
from provisioning.embedded.removal import _lab_of_namespace, leftovers, mounts_below, remove_lab, sweep


@pytest.fixture
def host(labs: Path, namespaces: Path, hierarchy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host without processes and mounts of ours; `ip netns del` deletes a file."""

    def run(*argv: str, stdin: str | None = None, check: bool = True) -> None:
        assert argv[:3] == ("ip", "netns", "del"), argv
        (namespaces / argv[3]).unlink()

    monkeypatch.setattr(network, "run", run)
    monkeypatch.setattr(removal, "PROPAGATED", tmp_path / "propagate")
    labs.mkdir(parents=True)
    return namespaces


def dead(labs: Path, name: str) -> None:
    Ownership.claim(labs / name).release(keep=False)


def leave(host: Path, lab: str, *machines: str) -> None:
    for name in [LabNames(lab).network, *(LabNames(lab).machine(machine) for machine in machines)]:
        (host / name).touch()


@pytest.mark.parametrize(
    ("namespace", "alive", "lab"),
    [
        ("tha-a", set(), "a"),
        ("tha-a-runner01", set(), "a"),
        ("tha-a-b-runner01", {"a"}, "a-b"),
        ("tha-a-b", {"a"}, "a-b"),
        ("tha-run-1-gw0-storage04", set(), "run-1-gw0"),
        ("tha-a-runner100", set(), "a"),
    ],
)
def test_a_namespace_names_its_lab(namespace: str, alive: set[str], lab: str) -> None:
    assert _lab_of_namespace(namespace, alive) == lab


def test_only_dead_labs_are_left_over(labs: Path, host: Path) -> None:
    owned = Ownership.claim(labs / "living")
    Ownership.claim(labs / "kept").release(keep=True)
    dead(labs, "dead")
    for name in ("living", "kept", "dead", "vanished"):
        leave(host, name, "runner01")
        Cgroup(LabNames(name).cgroup("runner01")).create(Limits())
    found = {leftover.lab: leftover.found for leftover in leftovers()}
    owned.release(keep=False)
    assert set(found) == {"dead", "vanished"}
    assert found["dead"] == (
        f"folder {labs / 'dead'}",
        "namespace tha-dead",
        "namespace tha-dead-runner01",
        "control group tofu-ha-acceptance/dead",
    )
    assert found["vanished"][0] == "namespace tha-vanished"


def test_a_sweep_removes_the_dead_and_nothing_else(labs: Path, host: Path, tmp_path: Path) -> None:
    owned = Ownership.claim(labs / "a")
    dead(labs, "a-b")
    for name in ("a", "a-b"):
        leave(host, name, "runner01")
        Cgroup(LabNames(name).cgroup("runner01")).create(Limits())
        (tmp_path / "propagate" / f"tha-{name}-runner01").mkdir(parents=True)
    (host / "somebody-elses").touch()
    assert [leftover.lab for leftover in sweep()] == ["a-b"]
    assert sorted(path.name for path in host.iterdir()) == ["somebody-elses", "tha-a", "tha-a-runner01"]
    assert [path.name for path in labs.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "propagate").iterdir()] == ["tha-a-runner01"]
    assert (Cgroup(LabNames("a").cgroup()).exists(), Cgroup(LabNames("a-b").cgroup()).exists()) == (True, False)
    assert sweep() == []
    owned.release(keep=False)


def test_what_cannot_be_a_lab_keeps_nobody_from_sweeping(labs: Path, host: Path) -> None:
    (labs / "lost+found").mkdir()
    for name in ("tha-Somebody", "tha--runner01"):
        (host / name).touch()
    dead(labs, "a")
    assert [leftover.lab for leftover in sweep()] == ["a"]
    assert [path.name for path in labs.iterdir()] == ["lost+found"]
    assert len(list(host.iterdir())) == 2


def test_removing_works_twice_and_after_a_crash_half_way(labs: Path, host: Path) -> None:
    dead(labs, "a")
    leave(host, "a", "runner01", "storage01")
    remove_lab(LabNames("a"))
    remove_lab(LabNames("a"))
    assert not any(host.iterdir())
    assert not any(labs.iterdir())


def test_a_lab_that_cannot_be_removed_is_told(labs: Path, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead(labs, "a")
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(LabUnavailable, match="labs/a could not be removed"):
        remove_lab(LabNames("a"))


def test_a_network_removes_what_is_its_own(host: Path) -> None:
    leave(host, "a", "runner01")
    leave(host, "a-b", "runner01")
    LabNetwork(LabNames("a")).remove()
    assert namespaces() == ["tha-a-b", "tha-a-b-runner01"]


def test_mounts_are_told_innermost_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"overlay {point} overlay rw 0 0" for point in ("/labs/a/x", "/labs/a/x/y/z", "/labs/a/x/y", "/labs/a-b/x", "/labs/a", "/")]
    monkeypatch.setattr(Path, "read_text", lambda _: "\n".join(lines) + "\n")
    assert mounts_below(Path("/labs/a")) == ["/labs/a/x/y/z", "/labs/a/x/y", "/labs/a/x"]


def test_a_program_of_the_host_says_what_failed() -> None:
    assert commands.run("cat", stdin="text").stdout == "text"
    with pytest.raises(LabUnavailable, match="`sh -c echo why >&2; exit 3` failed with 3: why"):
        commands.run("sh", "-c", "echo why >&2; exit 3")
    assert commands.run("sh", "-c", "exit 3", check=False).returncode == 3
    with pytest.raises(LabUnavailable, match="no-such-program could not be run"):
        commands.run("no-such-program", check=False)


def test_a_program_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "DEADLINE_SECONDS", 0.05)
    with pytest.raises(LabUnavailable, match=r"sleep could not be run: .*timed out"):
        commands.run("sleep", "5")
