"""Commands for one machine: `ssh`, `exec`, `logs`, `console`, `power`."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Annotated, NoReturn

import typer

from model.errors import BadInput
from model.lab import SSH_PORT, Lab
from model.topology import Address, Role
from provisioning.cli.arguments import LabName, MachineName
from provisioning.cli.clusters import FLEET, enter, is_on_a_cluster
from provisioning.cli.labs import choose, machine_of
from provisioning.cli.telling import PROGRAM, say
from provisioning.embedded.blueprint import Blueprint
from provisioning.embedded.control import ENVIRONMENT
from provisioning.embedded.machine import EmbeddedMachine
from provisioning.embedded.names import LabNames
from provisioning.embedded.network import LabNetwork


def ssh(
    machine: Annotated[str, typer.Argument(metavar="MACHINE", help="A machine, or `fleet` for the runner endpoint behind the balancer.")],
    command: Annotated[list[str] | None, typer.Argument(help="Run this instead of a shell.", show_default=False)] = None,
    lab: LabName = None,
    user: Annotated[str | None, typer.Option(help="Log in as; the pipeline's user on runners, root elsewhere.", show_default=False)] = None,
) -> None:
    """Log in as users do: with OpenSSH, in the lab's network, trusting the lab's host CA alone.

    For example:

      python -m provisioning ssh fleet

      python -m provisioning ssh balancer01 --lab mylab

      python -m provisioning ssh runner01 -- tofu version
    """
    if lab is not None and is_on_a_cluster(lab):
        enter(lab, machine, command or [], user)
    chosen = choose(lab)
    if machine == FLEET:
        address, usual = chosen.fleet.endpoint, chosen.fleet.user
    else:
        there = _running(chosen, machine)
        address, usual = Address(there.address, SSH_PORT), chosen.fleet.user if there.role is Role.RUNNER else "root"
    argv = [*_client(chosen, address), f"{user or usual}@{address.host}", *(command or [])]
    LabNetwork(LabNames(chosen.name)).enter()
    _become(argv, dict(os.environ))


def _client(lab: Lab, address: Address) -> list[str]:
    options = {
        "UserKnownHostsFile": str(Blueprint.load(LabNames(lab.name).folder).known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PasswordAuthentication": "no",
        "ConnectTimeout": "10",
    }
    settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "/dev/null", "-i", str(lab.fleet.private_key), "-p", str(address.port), *settings]


def execute(
    machine: MachineName,
    command: Annotated[list[str], typer.Argument(help="Several words are one command, a single one is shell text.")],
    lab: LabName = None,
) -> None:
    """Run a command as root, past the machine's network and sshd; its exit status is ours.

    Put `--` before a command that has an option of ours (--lab, --help).

    For example:

      python -m provisioning exec runner01 systemctl status ssh

      python -m provisioning exec storage01 --lab mylab 'ss -tln | grep 9000'
    """
    text = command[0] if len(command) == 1 else shlex.join(command)
    _enter(_running(choose(lab), machine), text)


def logs(
    machine: MachineName,
    lab: LabName = None,
    unit: Annotated[str | None, typer.Option("--unit", "-u", help="Only of this unit: ssh, haproxy, minio …", show_default=False)] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many.")] = 100,
) -> None:
    """Show a machine's journal.

    For example:

      python -m provisioning logs balancer01 --unit haproxy --follow
    """
    words = ["journalctl", "--no-pager", f"--lines={lines}"]
    words += [f"--unit={unit}"] if unit else []
    words += ["--follow"] if follow else []
    _enter(_running(choose(lab), machine), shlex.join(words))


def console(machine: MachineName, lab: LabName = None, lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 40) -> None:
    """Show what a machine printed on its console, over all boots; also of one that is off or does not boot."""
    say(machine_of(choose(lab), machine).console(lines))


def _running(lab: Lab, name: str) -> EmbeddedMachine:
    machine = machine_of(lab, name)
    if not machine.is_on():
        raise BadInput(f"{name} is off; switch it on: {PROGRAM} power {name} on --lab {lab.name}")
    return machine


def _enter(machine: EmbeddedMachine, command: str) -> NoReturn:
    _become(machine.entrance(command), {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")})


def _become(argv: list[str], environment: dict[str, str]) -> NoReturn:
    """Go on as another program, so that its streams, signals and exit status are ours."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(argv[0], argv, environment)  # noqa: S606 - no shell wanted
