"""System packages: only the missing ones, and one clear line without root. dpkg and apt are scripts here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "provisioning" / "setup" / "packages.sh"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host on which everything but mmdebstrap is installed; root."""
    programs = {
        "dpkg-query": 'for last; do :; done; [ "$last" = mmdebstrap ] && exit 1; printf installed',
        "id": "echo 0",
        "apt-get": f'echo "$@" >> {tmp_path}/apt.log',
        "python3": "exit 0",
        "mkdir": "exit 0",
        "dirname": "echo /tmp",
    }
    for name, script in programs.items():
        write(tmp_path / name, script)
    return tmp_path


def write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(host: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    record = host / "system-packages"
    script = SCRIPT.read_text().replace("/var/lib/tofu-ha-acceptance/system-packages", str(record))
    return subprocess.run(
        ["/bin/sh", "-c", script, "packages.sh", *arguments], env={"PATH": str(host)}, capture_output=True, text=True, check=False
    )


def test_only_what_is_missing_is_installed_and_recorded(host: Path) -> None:
    assert run(host).returncode == 0
    assert (host / "apt.log").read_text().splitlines() == ["-q update", "-q install --yes --no-install-recommends mmdebstrap"]
    assert (host / "system-packages").read_text() == "mmdebstrap\n"


def test_python_that_cannot_make_environments_is_completed(host: Path) -> None:
    write(host / "python3", "exit 1")
    write(host / "dpkg-query", 'for last; do :; done; [ "$last" = python3-venv ] && exit 1; printf installed')
    run(host)
    assert "python3-venv" in (host / "apt.log").read_text()


def test_a_complete_host_asks_no_registry(host: Path) -> None:
    write(host / "dpkg-query", "printf installed")
    assert run(host).returncode == 0
    assert not (host / "apt.log").exists()


def test_without_root_one_line_says_what_needs_it(host: Path) -> None:
    write(host / "id", "echo 1000")
    ended = run(host)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "root is needed" in ended.stderr
    assert "system packages: mmdebstrap" in ended.stderr
    assert "An existing lab needs none of it" in ended.stderr


def test_an_unreachable_registry_names_the_step(host: Path) -> None:
    write(host / "apt-get", '[ "$2" != update ]')
    ended = run(host)
    assert ended.returncode == 1
    assert "step: apt-get update" in ended.stderr
    assert not (host / "system-packages").exists()


def test_the_browser_is_installed_alone_and_only_when_asked_for(host: Path) -> None:
    write(host / "dpkg-query", 'for last; do :; done; [ "$last" = chromium ] && exit 1; printf installed')
    assert run(host).returncode == 0
    assert not (host / "apt.log").exists(), "who only runs the suite must not get a browser"
    assert run(host, "--browser").returncode == 0
    assert (host / "apt.log").read_text().splitlines()[-1] == "-q install --yes --no-install-recommends chromium"
    assert (host / "system-packages").read_text() == "chromium\n"


def test_without_root_one_line_says_who_needs_the_browser(host: Path) -> None:
    write(host / "id", "echo 1000")
    assert run(host, "--browser").returncode == 0, "it is there"
    write(host / "dpkg-query", "exit 1")
    ended = run(host, "--browser")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "root is needed to install the browser" in ended.stderr
