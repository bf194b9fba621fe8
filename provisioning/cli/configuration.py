"""The command `reference`: the reference configuration as a page, for readers who set a lab up by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from model.errors import BadInput
from model.topology import DEFAULT_TOPOLOGY, MachineSpec, Role, Topology, topology
from provisioning.identities import HostIdentity
from provisioning.roles import Applied
from provisioning.roles.reference import BUCKET, Credentials, LabFacts, reference

NOT_TO_COPY = ("/etc/hostname", "/etc/ssh/ssh_host_", "/etc/ssh/authorized_keys/", "/mnt/")
"""What every lab has of its own: names, keys, data."""

PLACEHOLDERS = Credentials("<ROOT USER>", "<ROOT PASSWORD>", "<RUNNERS' KEY>", "<RUNNERS' SECRET>")
LANGUAGES = {".lua": "lua", ".service": "ini", ".tfbackend": "hcl"}

INTRODUCTION = """# The reference configuration

What the embedded lab `{name}` runs, and what passes every check of the suite: the guide's steps with what reality added. A setting that
is there because of a check names it in brackets; [decisions](decisions/README.md) tell the longer stories. Addresses are the guide's.
Replace what stands in `<…>`.

This page is written by `.venv/bin/python -m provisioning reference > docs/reference-configuration.md` from the templates in
`provisioning/roles/templates`; a test keeps the two together.

The bucket `{bucket}` is versioned (`mc mb`, `mc version enable`). Runners have a key that may list it, and read, write and delete
objects in it, and nothing else (`mc admin policy`).
"""


def configuration(name: Annotated[str, typer.Option("--topology", help="single or production")] = DEFAULT_TOPOLOGY) -> None:
    """Print the reference configuration as a page (Markdown), with placeholders for names, keys and passwords."""
    plan = topology(name)
    if plan.guide:
        raise BadInput(f"{name} is the guide to the letter, not the reference configuration; valid ones: single, production")
    typer.echo(page(plan), nl=False)


def page(plan: Topology) -> str:
    """The configuration of a topology in Markdown.

    Args:
        plan: The topology; the first machine of each role stands for all, and what differs on another one is said.
    """
    parts = [INTRODUCTION.format(name=plan.name, bucket=BUCKET)]
    for role in (Role.STORAGE, Role.BALANCER, Role.RUNNER):
        machines = plan.of(role)
        parts.append(f"\n## {role.value.capitalize()}: {', '.join(f'{machine.name} ({machine.address})' for machine in machines)}\n")
        parts += _role(plan, machines)
    return "".join(parts)


def _role(plan: Topology, machines: tuple[MachineSpec, ...]) -> Iterator[str]:
    applied = [_applied(plan, machine) for machine in machines]
    first = applied[0]
    yield f"\nPackages: {', '.join(f'`{name}`' for name in dict.fromkeys(first.packages))}. "
    yield f"Starts at boot: {', '.join(f'`{unit}`' for unit in first.enabled)}.\n"
    for path, file in first.files.items():
        if path.startswith(NOT_TO_COPY):
            continue
        yield f"\n`{path}` (mode {file.mode:04o}, {file.owner})\n\n```{_language(path)}\n{file.content.rstrip()}\n```\n"
        for machine, other in zip(machines[1:], applied[1:], strict=True):
            yield from _differences(machine, file.content, other.files[path].content)


def _differences(machine: MachineSpec, here: str, there: str) -> Iterator[str]:
    for line, other in zip(here.splitlines(), there.splitlines(), strict=True):
        if line != other:
            yield f"\nOn {machine.name}: `{other.strip()}`\n"


def _applied(plan: Topology, machine: MachineSpec) -> Applied:
    return reference(machine, LabFacts(plan, PLACEHOLDERS, "<PUBLIC KEY>"), HostIdentity("", "", ""))


def _language(path: str) -> str:
    return next((language for ending, language in LANGUAGES.items() if path.endswith(ending)), "conf")
