"""What would change is computed from what is there, told without secrets, done once, and undone. The machine is a folder of this host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from model.errors import HostUnfit, LabUnavailable
from model.lab import COMMAND_DEADLINE, CommandResult
from model.topology import MachineSpec, Role
from provisioning.applying.changes import changes
from provisioning.applying.doing import perform, undo
from provisioning.applying.present import Present, PresentFile, look
from provisioning.roles import Applied, File
from tests.unit.stand_in import StandIn

SPEC = MachineSpec("balancer01", "10.1.0.21", Role.BALANCER)
SYSTEMCTL = """#!/bin/sh
echo "$@" >> {root}/systemctl.log
case $1 in
is-enabled) test -e {root}/enabled-$2 && echo enabled || {{ echo disabled; exit 1; }};;
--quiet) shift; verb=$1; shift; for each; do [ $verb = enable ] && touch {root}/enabled-$each || rm -f {root}/enabled-$each; done;;
is-active) test -e {root}/broken && echo failed || echo active;;
reload-or-restart) test ! -e {root}/broken || {{ echo "Job for $2 failed" >&2; exit 1; }};;
esac
"""


class Folder(StandIn):
    """A machine whose root is a folder; its systemd, dpkg and chown are scripts."""

    def __init__(self, root: Path) -> None:
        """Put the scripts there."""
        super().__init__(SPEC)
        self.root, self.user = root, root / "bin"
        self.user.mkdir()
        self.path = f"{self.user}:{os.environ['PATH']}"
        self._script("systemctl", SYSTEMCTL.format(root=root))
        self._script("dpkg-query", "#!/bin/sh\necho -n installed\n")
        self._script("chown", "#!/bin/sh\n")
        self._script("journalctl", "#!/bin/sh\necho what the journal says\n")

    def _script(self, name: str, text: str) -> None:
        (self.user / name).write_text(text)
        (self.user / name).chmod(0o755)

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        def inside(text: str) -> str:
            """Absolute paths lead into the folder."""
            return re.sub(r"(?<![\w/.])/(?=(?:etc|usr/local|var/lib|mnt)\b)", f"{self.root}/", text).replace(
                "tar -C / ", f"tar -C {self.root} "
            )

        given = inside(stdin.decode()).encode() if command == "sh -s" and stdin else stdin
        done = subprocess.run(
            ["/bin/sh", "-c", inside(command)], input=given or b"", capture_output=True, check=False, timeout=60, env={"PATH": self.path}
        )
        out = done.stdout.decode().replace(f"{self.root}/", "/")
        return CommandResult(command, done.returncode, out, done.stderr.decode(), machine=self.name)


@pytest.fixture
def machine(tmp_path: Path) -> Folder:
    (tmp_path / "etc/haproxy").mkdir(parents=True)
    (tmp_path / "var/lib").mkdir(parents=True)
    (tmp_path / "usr/local/bin").mkdir(parents=True)
    return Folder(tmp_path)


def me() -> str:
    done = subprocess.run(["stat", "-c", "%U:%G", "/proc/self"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


WANTED = Applied(packages=("haproxy",), enabled=("haproxy.service",)).with_files(
    File("/etc/haproxy/haproxy.cfg", "balance static-rr\n", owner=me(), unit="haproxy.service"),
    File("/etc/default/minio", "PASSWORD=hush\n", 0o600, owner=me()),
)


def test_everything_is_made_once(machine: Folder) -> None:
    found = changes(machine.name, WANTED, look(machine, WANTED))
    assert [file.path for file in found.files] == ["/etc/haproxy/haproxy.cfg", "/etc/default/minio"]
    assert (found.enabled, found.units, found.packages) == (("haproxy.service",), ("haproxy.service",), ())
    perform(machine, found, {})
    assert (machine.root / "etc/haproxy/haproxy.cfg").read_text() == "balance static-rr\n"
    assert (machine.root / "etc/default/minio").stat().st_mode & 0o777 == 0o600
    assert not changes(machine.name, WANTED, look(machine, WANTED))


def test_what_differs_is_shown_and_what_is_secret_is_not(machine: Folder) -> None:
    (machine.root / "etc/haproxy/haproxy.cfg").write_text("balance leastconn\n")
    text = "\n".join(changes(machine.name, WANTED, look(machine, WANTED)).told())
    assert "-balance leastconn\n+balance static-rr" in text
    assert "balancer01:/etc/default/minio: is made (not shown" in text
    assert "hush" not in text
    assert "then restart or reload haproxy.service" in text


def test_permissions_alone_are_a_change(machine: Folder) -> None:
    perform(machine, changes(machine.name, WANTED, look(machine, WANTED)), {})
    (machine.root / "etc/haproxy/haproxy.cfg").chmod(0o666)
    found = changes(machine.name, WANTED, look(machine, WANTED))
    assert [line for line in found.told() if "permissions" in line] == [
        f"balancer01:/etc/haproxy/haproxy.cfg: permissions 0666 {me()} become 0644 {me()}"
    ]


def test_undo_brings_back_what_was_there(machine: Folder) -> None:
    config = machine.root / "etc/haproxy/haproxy.cfg"
    config.write_text("mine\n")
    config.chmod(0o640)
    perform(machine, changes(machine.name, WANTED, look(machine, WANTED)), {})
    told = undo(machine)
    assert (config.read_text(), config.stat().st_mode & 0o777) == ("mine\n", 0o640)
    assert not (machine.root / "etc/default/minio").exists()
    assert not (machine.root / "enabled-haproxy.service").exists()
    assert "balancer01: /etc/haproxy/haproxy.cfg is as before" in told
    assert "balancer01: /etc/default/minio is gone" in told
    assert undo(machine) == []


def test_two_applies_are_undone_one_after_another(machine: Folder) -> None:
    config = machine.root / "etc/haproxy/haproxy.cfg"
    config.write_text("first\n")
    perform(machine, changes(machine.name, WANTED, look(machine, WANTED)), {})
    config.write_text("second\n")
    perform(machine, changes(machine.name, WANTED, look(machine, WANTED)), {})
    undo(machine)
    assert config.read_text() == "second\n"
    undo(machine)
    assert config.read_text() == "first\n"


def test_a_service_that_does_not_come_back_is_told_with_its_journal(machine: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.applying.doing.RUNS_WITHIN", timedelta(seconds=0.3))
    (machine.root / "etc/haproxy/haproxy.cfg").write_text("mine\n")
    found = changes(machine.name, WANTED, look(machine, WANTED))
    (machine.root / "broken").touch()
    with pytest.raises(LabUnavailable, match=r"haproxy\.service runs on balancer01[\s\S]*what the journal says"):
        perform(machine, found, {})
    (machine.root / "broken").unlink()
    undo(machine)
    assert (machine.root / "etc/haproxy/haproxy.cfg").read_text() == "mine\n"


def test_a_machine_that_is_no_debian_is_refused(machine: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.root / "bin/dpkg-query").unlink()
    for name in ("systemctl", "base64", "tar", "sh"):
        if not (machine.user / name).exists():
            (machine.user / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setattr(machine, "path", str(machine.user))
    with pytest.raises(HostUnfit, match="there is no dpkg-query: only Debian and Ubuntu are provisioned"):
        look(machine, WANTED)


def test_data_that_is_there_is_left_alone() -> None:
    keep = File("/mnt/minio-data/.keep", "")
    there = {keep.path: PresentFile(b"somebody's", 0o600, ("minio", "minio"))}
    wanted = Applied().with_files(keep)
    assert not changes("storage01", wanted, Present(there))
