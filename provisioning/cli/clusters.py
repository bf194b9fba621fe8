"""Labs on clusters, for the commands `up`, `down`, `list`, `sweep` and `ssh`: no root, and no network of their own."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from model.errors import BadInput, LabUnavailable, UnsafeLab
from model.lab import Lab
from model.topology import Address
from model.waiting import wait_until
from probes.condition import Condition, look_at
from provisioning import drivers
from provisioning.cli.labs import WORDS, Owner, spoken
from provisioning.cli.telling import PROGRAM, note, one_interruption, say
from provisioning.progress import Progress
from provisioning.proxmox import removal
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.marks import run_name
from provisioning.proxmox.workspace import Workspace, workspaces

SERVES_WITHIN = timedelta(seconds=60)
FLEET = "fleet"


def is_on_a_cluster(name: str) -> bool:
    """Whether a lab of that name was made on a cluster from here."""
    return any(workspace.name == run_name(name) for workspace in workspaces())


def up(path: Path, name: str | None, given: dict[str, Path | None]) -> None:
    """Make the lab of a file, keep it, and say what of it serves.

    Raises:
        LabUnavailable: It could not be made.
        UnsafeLab: Something that is not ours is in the way, or the token lacks a right.
    """
    driver = drivers.proxmox(path, given)
    plan, progress, started = driver.file.plan(), Progress(), time.monotonic()
    with one_interruption():
        with progress.step(f"making lab {name or driver.file.name} on {driver.file.cluster.endpoint}, {len(plan.machines)} VMs") as step:
            driver.tell = lambda what: step.report(note=what)
            lab = driver.provision(plan, name or driver.file.name)
        try:
            with progress.step("waiting until it serves"):
                condition = _served(driver, lab)
        except BaseException:
            driver.remove(lab)
            raise
        driver.keep(lab)
    _introduce(lab, condition, time.monotonic() - started)


def _served(driver: ProxmoxDriver, lab: Lab) -> Condition:
    driver.enter(lab)
    looks: list[Condition] = []

    def look() -> bool:
        looks.append(look_at(lab))
        return looks[-1].is_good

    try:
        wait_until(look, bool, what="everything serves", within=SERVES_WITHIN, error=LabUnavailable)
    except LabUnavailable:
        note(f"not everything serves: {looks[-1]}")
    return looks[-1]


def _introduce(lab: Lab, condition: Condition, seconds: float) -> None:
    phases = ", ".join(f"{phase} {length:.1f} s" for phase, length in lab.phases.items())
    workspace = removal.workspace_of(lab.name)
    say(f"lab {lab.name} is up after {seconds:.1f} s ({phases}); {condition}")
    say(f"  runner endpoint  {lab.topology.runner_endpoint}, SSH as {lab.fleet.user}")
    say(f"  state storage    {lab.store.url}, bucket {lab.store.bucket}")
    say(f"  machines         {' '.join(f'{machine.name} ({machine.address})' for machine in lab.machines.values())}")
    say(f"  kept until       {workspace.expires:%d %b %Y %H:%M} UTC; then any sweep may remove it")
    say(f"  enter:  {PROGRAM} ssh {FLEET} --lab {lab.name}")
    say(f"  remove: {PROGRAM} down {lab.name}")


def down(name: str, *, force: bool) -> None:
    """Remove a lab from its cluster.

    Raises:
        UnsafeLab: A living run works with it.
        LabUnavailable: Something of it is left.
    """
    workspace = Workspace(next(each.folder for each in workspaces() if each.name == run_name(name)))
    if workspace.state() == "run" and not force:
        raise UnsafeLab(f"lab {name} belongs to a run that lives; end that run, or: {PROGRAM} down {name} --force")
    driver = _driver_of(workspace)
    progress = Progress()
    with progress.step(f"removing lab {workspace.name} from {driver.file.cluster.endpoint}") as step:
        removal.remove(workspace, driver.cluster, driver.tools, lambda what: step.report(note=what))
    workspace.forget()
    say(f"removed: lab {workspace.name}")


def _driver_of(workspace: Workspace) -> ProxmoxDriver:
    path = workspace.lab_file
    if not path.is_file():
        raise BadInput(f"lab {workspace.name} was made from {path}, which is gone; its VMs are found by the tag run-{workspace.name}")
    return drivers.proxmox(path)


def sentences() -> list[tuple[str, dict[str, Any]]]:
    """Labs on clusters that were made from here: a line for people, and the same for programs."""
    return [(_sentence(workspace), _as_json(workspace)) for workspace in workspaces()]


def _sentence(workspace: Workspace) -> str:
    try:
        described, until = workspace.description, workspace.expires
    except BadInput:
        return f"{workspace.name}: on a cluster, not laid out"
    over = until <= datetime.now(UTC)
    age = datetime.now(UTC) - workspace.created
    left = "its time is over" if over else f"until {until:%d %b %H:%M} UTC"
    place = f"{described['topology']}, on {described['endpoint']}"
    return f"{workspace.name}: {place}, {spoken(age)} old, {WORDS[Owner(workspace.state())]}, {left}"


def _as_json(workspace: Workspace) -> dict[str, Any]:
    return {
        "name": workspace.name,
        "driver": "proxmox",
        "owner": workspace.state(),
        "enter": f"{PROGRAM} ssh {FLEET} --lab {workspace.name}",
        "remove": f"{PROGRAM} down {workspace.name}",
        **({} if not (workspace.folder / "lab.json").exists() else workspace.description),
    }


def sweep(path: Path, *, dry_run: bool) -> None:
    """Remove from a cluster what runs left that died, and what expired; never a VM without our tag."""
    driver = drivers.proxmox(path)
    if dry_run:
        for workspace in removal.abandoned(driver.file):
            say(f"would remove: lab {workspace.name}")
        for vm in removal.expired(driver.cluster, driver.file.prefix):
            say(f"would remove: VM {vm.id} ({vm.name} on {vm.node}), expired")
        return
    found = removal.sweep(driver.cluster, driver.file, driver.tools, note)
    for leftover in found:
        say(f"removed: {', '.join(leftover.vms) or 'no VM'} of lab {leftover.run}: {leftover.why}")
    if not found:
        say("nothing of ours on the cluster is over its time, and no run left anything behind")


def enter(name: str, machine: str, command: list[str], user: str | None) -> NoReturn:
    """Log in to a machine, or to the runner endpoint; becomes OpenSSH.

    Raises:
        BadInput: The lab has no such machine.
    """
    workspace = removal.workspace_of(name)
    driver = _driver_of(workspace)
    plan = driver.file.plan()
    places = {spec.name: Address(spec.address, 22) for spec in plan.machines} | {FLEET: plan.runner_endpoint}
    if machine not in places:
        raise BadInput(f"lab {workspace.name} has no machine {machine!r}; it has {', '.join(places)}")
    usual = "pipeline" if machine == FLEET or machine.startswith("runner") else "root"
    options = {
        "UserKnownHostsFile": str(workspace.known_hosts),
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
    }
    settings = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    place = places[machine]
    argv = [
        "ssh",
        "-F",
        "/dev/null",
        "-i",
        str(workspace.login_key),
        "-p",
        str(place.port),
        *settings,
        f"{user or usual}@{place.host}",
        *command,
    ]
    driver.enter_network()
    os.execvp(argv[0], argv)  # noqa: S606 - no shell wanted
