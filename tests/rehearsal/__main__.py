# SPDX-License-Identifier: AGPL-3.0-or-later
"""`make rehearsal`: the suite against a cluster that is a stand-in, with real machines behind its VMs."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmarks.serving import await_serving, inside
from provisioning import drivers
from provisioning.cli.telling import STOPPED, PlainErrors, note, one_interruption, say
from provisioning.embedded.removal import sweep
from provisioning.progress import Progress
from tests.rehearsal.rehearsal import Rehearsal, with_machines

ROOT = Path(__file__).parents[2]
GUIDE = ("--check", "V*,T*,S*")
LEFT_OVER = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM)

app = typer.Typer(
    cls=PlainErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def describe() -> None:
    """Rehearse labs on Proxmox VE: the API is fakepve's, OpenTofu and its provider are real, and so is the machine behind each VM."""


Topology = Annotated[Literal["production", "single"], typer.Option(help="What the lab looks like.")]
Name = Annotated[str, typer.Option(help="Of what is made on this host; `python -m provisioning list` shows it.")]


@app.command("run", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def run(context: typer.Context, topology: Topology = "production", name: Name = "") -> None:
    """Run the suite on it: `pytest features/ --lab …` with what is given here (the guide's checks unless given); its exit status."""
    with _rehearsal(name) as rehearsal:
        words = ["-m", "pytest", "features/", "--lab", str(rehearsal.lab_file(topology)), *(context.args or GUIDE)]
        note(f"pytest {shlex.join(words[2:])}")
        status = _child([sys.executable, *words], rehearsal)
        left = rehearsal.vms()
        if left:
            note(f"left on the cluster: {', '.join(left)}")
    raise typer.Exit(status or (LEFT_OVER if left else 0))


@app.command("serve")
def serve(topology: Topology = "production", name: Name = "") -> None:
    """Only have the cluster answer, until Ctrl-C: for `check`, `up` and `pytest` by hand."""
    with _rehearsal(name) as rehearsal:
        path = rehearsal.lab_file(topology)
        say(f"a cluster answers at {rehearsal.serving.endpoint}; Ctrl-C removes it with all its machines")
        say(f"  export XDG_STATE_HOME={rehearsal.state}   # what labs are kept in goes with it")
        say(f"  python -m provisioning check {path}")
        say(f"  pytest features/ --lab {path}")
        stopping = threading.Event()
        with _signals(lambda _number: stopping.set()):
            stopping.wait()
        note("removing the machines …")


@app.command("measure")
def measure(topology: Topology = "production", name: Name = "") -> None:
    """Make a lab on it and remove it; how long each phase took, in seconds, as JSON."""
    with one_interruption(), _rehearsal(name) as rehearsal:
        os.environ["XDG_STATE_HOME"] = str(rehearsal.state)
        driver = drivers.proxmox(rehearsal.lab_file(topology))
        started = time.monotonic()
        lab = driver.provision(driver.file.plan(), "measured")
        try:
            serving = inside(lambda: driver.enter(lab), lambda: await_serving(lab))
            up = time.monotonic() - started
        finally:
            ending = time.monotonic()
            driver.remove(lab)
        say(json.dumps({**lab.phases, "serving": serving.everything, "up": up, "down": time.monotonic() - ending}))


@contextlib.contextmanager
def _rehearsal(name: str) -> Iterator[Rehearsal]:
    for leftover in sweep():
        note(f"swept: {leftover.lab}, left by a run that died")
    progress, started = Progress(), time.monotonic()
    with contextlib.ExitStack() as stack:
        with progress.step("laying out a cluster"):
            rehearsal = stack.enter_context(with_machines(name or f"pve-{os.getpid()}"))
        yield rehearsal
        with progress.step("removing the cluster with its machines"):
            stack.close()
    note(f"the rehearsal took {time.monotonic() - started:.0f} s")


def _child(argv: list[str], rehearsal: Rehearsal) -> int:
    """A program in a process group of its own: Ctrl-C reaches it once, through us, and it tidies up; it does not outlive us."""
    bound = ["setpriv", "--pdeathsig", "INT", "--", *argv]
    process = subprocess.Popen(bound, cwd=ROOT, env=rehearsal.environment, start_new_session=True)
    stopped: list[int] = []

    def stop(number: int) -> None:
        if not stopped:
            process.send_signal(signal.SIGINT)
        stopped.append(number)

    with _signals(stop):
        status = process.wait()
    return STOPPED if stopped or status < 0 else status


@contextlib.contextmanager
def _signals(handle: Callable[[int], None]) -> Iterator[None]:
    before = {number: signal.signal(number, lambda number, _frame: handle(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    app(prog_name="python -m tests.rehearsal")
