"""Keys and certificates of a lab, judged by OpenSSH itself."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from provisioning.identities import VALID_SECONDS, HostAuthority, create_login_key, write_private

needs_openssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def openssh(*words: str, stdin: str = "") -> str:
    return subprocess.run(["ssh-keygen", *words], input=stdin, capture_output=True, text=True, check=True, timeout=10).stdout


@pytest.fixture
def authority(tmp_path: Path) -> HostAuthority:
    return HostAuthority.create(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@needs_openssh
def test_a_certificate_says_whose_key_it_is(authority: HostAuthority, tmp_path: Path) -> None:
    identity = authority.issue("runner01", ["10.1.0.102", "10.1.0.103", "runner01"])
    (tmp_path / "key-cert.pub").write_text(identity.certificate + "\n")
    told = openssh("-L", "-f", str(tmp_path / "key-cert.pub"))
    sections = [line.strip() for line in told.splitlines()]
    assert "Type: ssh-ed25519-cert-v01@openssh.com host certificate" in sections
    assert 'Key ID: "runner01"' in sections
    principals = sections[sections.index("Principals:") + 1 : sections.index("Critical Options: (none)")]
    assert principals == ["10.1.0.102", "10.1.0.103", "runner01"]
    fingerprint = openssh("-l", "-f", "-", stdin=authority.public_key + "\n").split()[1]
    assert f"Signing CA: ED25519 {fingerprint} (using ssh-ed25519)" in sections
    assert openssh("-l", "-f", "-", stdin=identity.public_key + "\n").split()[1] in told


@needs_openssh
def test_the_private_key_belongs_to_the_public_one(authority: HostAuthority, tmp_path: Path) -> None:
    identity = authority.issue("runner01", ["runner01"])
    write_private(tmp_path / "key", identity.private_key)
    assert openssh("-y", "-f", str(tmp_path / "key")).split()[:2] == identity.public_key.split()[:2]


@needs_openssh
def test_a_certificate_is_valid_from_an_hour_ago(authority: HostAuthority, tmp_path: Path) -> None:
    (tmp_path / "key-cert.pub").write_text(authority.issue("runner01", ["runner01"]).certificate + "\n")
    told = next(line for line in openssh("-L", "-f", str(tmp_path / "key-cert.pub")).splitlines() if "Valid:" in line)
    assert "from " in told
    assert "forever" not in told
    assert VALID_SECONDS >= 365 * 24 * 3600, "a lab that is kept must not expire"


def test_every_machine_has_a_key_of_its_own(authority: HostAuthority) -> None:
    issued = [authority.issue("runner01", ["runner01"]) for _ in range(3)]
    assert len({identity.public_key for identity in issued}) == 3
    assert "PRIVATE" not in repr(issued)


def test_an_authority_is_the_same_when_it_is_read_again(authority: HostAuthority, tmp_path: Path) -> None:
    assert HostAuthority.load(tmp_path).public_key == authority.public_key
    assert mode(tmp_path / "host_ca") == 0o600


def test_an_authority_with_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    openssh("-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "host_ca"))
    with pytest.raises(TypeError, match="holds no Ed25519 key"):
        HostAuthority.load(tmp_path)


@needs_openssh
def test_known_hosts_names_every_place(authority: HostAuthority, tmp_path: Path) -> None:
    line = authority.known_hosts_line(["10.1.0.103", "[10.1.0.102]:9000"])
    assert line == f"@cert-authority 10.1.0.103,[10.1.0.102]:9000 {authority.public_key}\n"
    (tmp_path / "known_hosts").write_text(line)
    for place in ("10.1.0.103", "[10.1.0.102]:9000"):
        assert "CA" in openssh("-F", place, "-f", str(tmp_path / "known_hosts"))


def test_the_login_key_is_its_owners_alone(tmp_path: Path) -> None:
    path, public = create_login_key(tmp_path)
    assert (path, mode(path)) == (tmp_path / "login", 0o600)
    assert (tmp_path / "login.pub").read_text() == public + "\n"
    assert public.startswith("ssh-ed25519 ")


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    real = os.open

    def spy(path: Path, flags: int, permissions: int = 0o777) -> int:
        descriptor = real(path, flags, permissions)
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    before = os.umask(0)
    try:
        monkeypatch.setattr(os, "open", spy)
        write_private(tmp_path / "secret", "text")
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert ((tmp_path / "secret").read_text(), mode(tmp_path / "secret")) == ("text", 0o600)


def test_a_file_that_was_readable_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("something longer than what comes now")
    path.chmod(0o644)
    write_private(path, "text")
    assert (path.read_text(), mode(path)) == ("text", 0o600)
