"""Makes changes on a machine, and undoes them: what was there is kept on the machine itself."""

from __future__ import annotations

import io
import json
import shlex
import tarfile
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from model.errors import LabUnavailable
from model.lab import CommandResult, Machine
from model.waiting import wait_until
from provisioning.applying.changes import Changes
from provisioning.roles import File

KEPT = "/var/lib/tofu-ha-acceptance/applied"
MANIFEST, OLD = "manifest.json", "old.tar"
PROGRAMS = "/usr/local/bin"
PACKAGES_WITHIN, COPY_WITHIN = timedelta(minutes=10), timedelta(minutes=5)
WITHIN = timedelta(seconds=60)
RUNS_WITHIN = timedelta(seconds=20)
JOURNAL_LINES = 5


def perform(machine: Machine, changes: Changes, programs: Mapping[str, Path]) -> None:
    """Make the changes; nothing is done where there are none.

    Args:
        machine: Its control channel must answer.
        changes: For this machine.
        programs: Programs on this host that may be copied, by name.

    Raises:
        LabUnavailable: A step failed; what was there before is kept, `undo` brings it back.
        ControlChannelLost: The machine did not answer.
    """
    if not changes:
        return
    _keep(machine, changes)
    if changes.packages:
        words = "-o Dpkg::Options::=--force-confold --no-install-recommends"
        names = shlex.join(changes.packages)
        apt = f"export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q -y {words} install {names}"
        _do(machine, f"installing {names}", apt, PACKAGES_WITHIN)
    for name in changes.users:
        _do(machine, f"making the account {name}", f"useradd --create-home --shell /bin/bash --password '*' {shlex.quote(name)}")
    for name in changes.programs:
        target = shlex.quote(f"{PROGRAMS}/{name}")
        copy = f"cat > {target}.partial && chmod 755 {target}.partial && mv {target}.partial {target}"
        _do(machine, f"copying {name}", copy, COPY_WITHIN, programs[name].read_bytes())
    if changes.files:
        _do(machine, "writing files", "tar -C / -xpf - --no-same-owner --same-permissions", stdin=_archive(changes.files))
        owners = [f"chown {shlex.quote(':'.join(file.ownership))} {shlex.quote(file.path)}" for file in changes.files]
        _do(machine, "giving files to their owners", " && ".join(owners))
    if changes.enabled or changes.units:
        _do(machine, "reading units", "systemctl daemon-reload")
    if changes.enabled:
        _do(machine, "enabling units", f"systemctl --quiet enable {shlex.join(changes.enabled)}")
    _restart(machine, changes.units)


def undo(machine: Machine) -> list[str]:
    """Bring back what was there before the newest `perform`; packages and accounts stay.

    Args:
        machine: Its control channel must answer.

    Returns:
        What was done, a line each; empty where nothing was ever applied.

    Raises:
        LabUnavailable: A step failed.
        ControlChannelLost: The machine did not answer.
    """
    newest = machine.run(f"ls -1d {KEPT}/*/ 2>/dev/null | tail -1").stdout.strip().rstrip("/")
    if not newest:
        return []
    manifest = json.loads(_do(machine, "reading what was kept", f"cat {shlex.quote(newest)}/{MANIFEST}").stdout)
    place = shlex.quote(newest)
    if manifest["enabled"]:
        _do(machine, "disabling units", f"systemctl --quiet disable {shlex.join(manifest['enabled'])}")
    if manifest["started"]:
        _do(machine, "stopping units", f"systemctl stop {shlex.join(manifest['started'])}")
    if manifest["made"]:
        _do(machine, "removing files", f"rm -f -- {shlex.join(manifest['made'])}")
    _do(machine, "restoring files", f"tar -C / -xpf {place}/{OLD} --same-owner")
    _do(machine, "reading units", "systemctl daemon-reload")
    _restart(machine, [unit for unit in manifest["units"] if unit not in manifest["started"]])
    _do(machine, "forgetting what was kept", f"rm -rf -- {place}")
    told = [f"{machine.name}: {path} is gone" for path in manifest["made"]]
    told += [f"{machine.name}: {path} is as before" for path in manifest["kept"]]
    told += [f"{machine.name}: {unit} does not start at boot any more" for unit in manifest["enabled"]]
    return told + [f"{machine.name}: {name} stays" for name in manifest["stays"]]


def _keep(machine: Machine, changes: Changes) -> None:
    """Keep what is there, and write down what will be new."""
    kept = [file.path for file in changes.files if changes.before.get(file.path) is not None]
    made = [file.path for file in changes.files if changes.before.get(file.path) is None]
    made += [f"{PROGRAMS}/{name}" for name in changes.programs]
    running = machine.run(f"systemctl is-active {shlex.join(changes.enabled)}").stdout.split() if changes.enabled else []
    manifest = {
        "kept": kept,
        "made": made,
        "enabled": list(changes.enabled),
        "started": [unit for unit, state in zip(changes.enabled, running, strict=False) if state != "active"],
        "units": list(changes.units),
        "stays": [*(f"package {name}" for name in changes.packages), *(f"account {name}" for name in changes.users)],
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    place = f"{KEPT}/{time.time_ns():020}"
    names = "".join(f"{path.lstrip('/')}\0" for path in kept).encode()
    _do(
        machine,
        "making room for what was there",
        f"umask 077 && mkdir -p {place} && cat > {place}/{MANIFEST}",
        stdin=json.dumps(manifest).encode(),
    )
    _do(machine, "keeping what was there", f"umask 077 && tar -C / -cpf {place}/{OLD} --null --files-from=-", stdin=names)


def _archive(files: Iterable[File]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in files:
            entry, content = tarfile.TarInfo(file.path.lstrip("/")), file.content.encode()
            entry.size, entry.mode, entry.mtime = len(content), file.mode, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _restart(machine: Machine, units: Iterable[str]) -> None:
    """Have units read their settings anew, one after another; each must run afterwards."""
    for unit in units:
        quoted = shlex.quote(unit)
        done = machine.run(f"systemctl reload-or-restart {quoted}", timeout=WITHIN)

        def state(unit: str = quoted) -> str:
            return machine.run(f"systemctl is-active {unit}").stdout.strip()

        try:
            wait_until(
                state, lambda seen: seen == "active", what=f"{unit} runs on {machine.name}", within=RUNS_WITHIN, error=LabUnavailable
            )
        except LabUnavailable as error:
            journal = machine.run(f"journalctl --no-pager --output=cat --lines={JOURNAL_LINES} --unit={quoted}").stdout.strip()
            raise LabUnavailable(f"{error}\n{done.text}\n{journal}".strip()) from error
        if not done.ok:
            raise LabUnavailable(f"{unit} on {machine.name} does not take its new settings: {done.text}")


def _do(machine: Machine, what: str, command: str, within: timedelta = WITHIN, stdin: bytes | None = None) -> CommandResult:
    done = machine.run(command, timeout=within, stdin=stdin)
    if not done.ok:
        last = done.text.splitlines()[-JOURNAL_LINES:]
        raise LabUnavailable(f"{what} on {machine.name} failed: {' / '.join(last)}")
    return done
