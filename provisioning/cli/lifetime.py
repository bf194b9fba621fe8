"""Commands for whole labs: `up`, `down`, `list`, `sweep`."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from model.errors import BadInput, LabUnavailable, UnsafeLab
from model.lab import Lab
from model.topology import DEFAULT_TOPOLOGY, RUNNERS_MAX, TOPOLOGIES, topology
from model.waiting import wait_until
from probes.condition import Condition, look_at
from provisioning import drivers
from provisioning.cli import clusters
from provisioning.cli.arguments import Mc, Minio, Tofu
from provisioning.cli.labs import Owner, entries, owner_of, require_root
from provisioning.cli.telling import FAILED, PROGRAM, complain, note, one_interruption, say
from provisioning.embedded import ownership, removal
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.embedded.names import LabNames
from provisioning.existing.writing import write_lab_file
from provisioning.progress import Progress

SERVES_WITHIN = timedelta(seconds=30)
EVERYTHING_SERVES = str(Condition({}))
LabPath = Annotated[
    Path | None, typer.Option("--lab", metavar="PATH", help="The file of a lab that is made on Proxmox VE.", show_default=False)
]


def up(  # noqa: PLR0913, PLR0917 - each argument is an option
    name: Annotated[str | None, typer.Argument(help="The lab's name; the topology's unless given.", show_default=False)] = None,
    topology_name: Annotated[
        str, typer.Option("--topology", metavar="NAME", help=f"What the lab looks like: {' or '.join(TOPOLOGIES)}.")
    ] = DEFAULT_TOPOLOGY,
    runners: Annotated[int, typer.Option(metavar="N", help=f"Size of the fleet, 2 to {RUNNERS_MAX}.")] = 3,
    fresh_store: Annotated[bool, typer.Option("--fresh-store", help="Set the state store up from nothing; slower.")] = False,
    lab_file: Annotated[
        Path | None,
        typer.Option("--write-lab-file", metavar="PATH", help="Describe it as a lab that you own: pytest features/ --lab PATH."),
    ] = None,
    lab: LabPath = None,
    minio: Minio = None,
    tofu: Tofu = None,
    mc: Mc = None,
) -> None:
    """Make a lab that stays until `down` removes it, and say what of it serves.

    Ctrl-C while it is made leaves nothing behind.

    For example:

      python -m provisioning up

      python -m provisioning up mylab --topology single --runners 2

      python -m provisioning up --lab labs/proxmox.toml
    """
    if lab is not None:
        clusters.up(lab, name, {"minio": minio, "tofu": tofu, "mc": mc})
        return
    plan = topology(topology_name, runners)
    names = LabNames(name or plan.name)
    if lab_file is not None and lab_file.exists():
        raise BadInput(f"{lab_file} is there already; take another name for the lab file")
    driver = drivers.embedded({"minio": minio, "tofu": tofu, "mc": mc}, fresh_store=fresh_store)
    progress = Progress()
    for leftover in removal.sweep():
        progress.say(f"swept: lab {leftover.lab} of a run that died")
    started = time.monotonic()
    made: Lab | None = None
    with one_interruption():
        try:
            with progress.step(f"making lab {names.lab} ({plan.name}, {len(plan.machines)} machines)") as step:
                driver.tell = lambda what: step.report(note=what)
                made = driver.provision(plan, names.lab)
            with progress.step("waiting until it serves"):
                condition = _served(driver, made)
            if lab_file is not None:
                write_lab_file(made, lab_file)
            driver.keep(made)
        except BaseException:
            if made is not None:
                driver.remove(made)
            raise
    _introduce(made, condition, time.monotonic() - started)


def _served(driver: EmbeddedDriver, lab: Lab) -> Condition:
    """Look until everything serves, 30 s at most; that it does not is no error of ours."""
    driver.enter(lab)
    looks: list[Condition] = []

    def look() -> str:
        looks.append(look_at(lab))
        return str(looks[-1])

    try:
        wait_until(look, EVERYTHING_SERVES.__eq__, what="everything serves", within=SERVES_WITHIN, error=LabUnavailable)
    except LabUnavailable as error:
        note(str(error))
    return looks[-1]


def _introduce(lab: Lab, condition: Condition, seconds: float) -> None:
    phases = ", ".join(f"{phase} {length:.1f} s" for phase, length in lab.phases.items())
    plan = lab.topology
    say(f"lab {lab.name} is up after {seconds:.1f} s ({phases}); {condition}")
    say(f"  runner endpoint  {plan.runner_endpoint}, SSH as {lab.fleet.user}")
    say(f"  state storage    {lab.store.url}, bucket {lab.store.bucket}")
    say(f"  console          {' '.join(f'http://{node.address}:{plan.console_port}' for node in lab.storage)}")
    say(f"  statistics       {' '.join(f'http://{node.address}:{plan.statistics_port}/stats' for node in lab.balancers)}")
    say(f"  machines         {' '.join(lab.machines)}")
    say(f"These addresses exist in the lab's own network only: ip netns exec {LabNames(lab.name).network} curl …")
    say(f"  enter:  {PROGRAM} ssh fleet --lab {lab.name}")
    say(f"  remove: {PROGRAM} down {lab.name}")


def down(
    name: Annotated[str | None, typer.Argument(help="The lab's name.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Remove all labs but those of runs that live.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also remove a lab that a living run works with.")] = False,
) -> None:
    """Remove a lab and everything that belongs to it.

    For example:

      python -m provisioning down mylab

      python -m provisioning down --all
    """
    if name is not None and not every and clusters.is_on_a_cluster(name):
        clusters.down(name, force=force)
        return
    there = [entry.name for entry in entries()]
    if every == (name is not None):
        raise BadInput(f"give a lab's name, or --all; {_there(there)}")
    if name is not None:
        if LabNames(name).lab not in there:
            raise BadInput(f"there is no lab {name!r}; {_there(there)}")
        _remove(name, force=force)
        return
    refused = 0
    for lab in there:
        try:
            _remove(lab, force=force)
        except (UnsafeLab, LabUnavailable, BadInput) as error:
            complain(str(error))
            refused += 1
    removal.sweep()
    if refused:
        raise typer.Exit(FAILED)


def _there(names: list[str]) -> str:
    return f"on this host: {', '.join(names)}" if names else "there is none on this host"


def _remove(name: str, *, force: bool) -> None:
    names = LabNames(name)
    with ownership.registry():
        if owner_of(names.folder) is Owner.RUN and not force:
            raise UnsafeLab(f"lab {name} belongs to a run that lives; end that run, or: {PROGRAM} down {name} --force")
        removal.remove_lab(names)
    say(f"removed: lab {name}")


def list_labs(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show the labs of this host: what they are, whose they are, how old, how to enter or remove them; those on clusters, too."""
    elsewhere = clusters.sentences()
    found = [] if elsewhere and os.geteuid() != 0 else entries()
    if as_json:
        say(json.dumps([*(entry.as_json() for entry in found), *(told for _, told in elsewhere)], indent=2))
        return
    for sentence, told in elsewhere:
        say(sentence)
        say(f"  enter:  {told['enter']}")
        say(f"  remove: {told['remove']}")
    if not found and not elsewhere:
        say(f"no lab is up; make one: {PROGRAM} up")
    for entry in found:
        say(entry.sentence())
        if entry.enter is not None:
            say(f"  enter:  {entry.enter}")
        say(f"  remove: {entry.remove}")


def sweep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    lab: LabPath = None,
) -> None:
    """Remove what runs that died left behind; never a lab that is kept, or that a living run works with.

    Every run sweeps before it starts, so this is seldom needed. On a cluster, whatever carries our tag goes when its time is over.
    """
    if lab is not None:
        clusters.sweep(lab, dry_run=dry_run)
        return
    require_root()
    if dry_run:
        with ownership.registry():
            found = removal.leftovers()
    else:
        found = removal.sweep()
    for leftover in found:
        say(f"{'would remove' if dry_run else 'removed'}: lab {leftover.lab}")
        for part in leftover.found:
            say(f"  {part}")
    if not found:
        say("nothing was left behind by runs that died")
