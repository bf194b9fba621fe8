"""What a host lacks is found, and comes with its remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model.errors import HostUnfit
from provisioning import hostcheck
from provisioning.setup import prepare


def lacking(findings: list[hostcheck.Finding]) -> dict[str, hostcheck.Finding]:
    return {finding.name: finding for finding in findings if not finding.ok}


def test_a_host_without_anything_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = lacking(hostcheck.essentials())
    assert set(found) == {"root", *hostcheck.PROGRAMS}
    assert "apt-get install systemd-container" in found["systemd-nspawn"].remedy
    assert "an existing lab (--lab FILE.toml) does not" in found["root"].remedy
    with pytest.raises(HostUnfit, match=r"root: user 1000 - run as root.*systemd-nspawn: not there"):
        prepare()


def test_programs_and_image_that_are_missing_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = lacking(hostcheck.examine())
    assert "machine image" in found
    assert found["OpenTofu"].remedy == "run `make setup`"


def test_too_little_room_names_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostcheck, "LAB_BYTES", 10**18)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    finding = lacking(hostcheck.examine())["disk for labs"]
    assert " GB free at /var/lib/tofu-ha-acceptance/labs, 1000000000.0 GB needed" in finding.found
