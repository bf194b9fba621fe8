"""OpenTofu from Python: python-terraform's `cmd` with `tofu`, bounded, interruptible, and never orphaned.

Of python-terraform 0.10.1 only `cmd` is used: its `apply`, `destroy` and `output` pass arguments that OpenTofu does not take.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged, Terraform

from model.errors import LabUnavailable
from provisioning.identities import write_private
from provisioning.proxmox.api import LOCKED, TRANSIENT

PROGRAM, RUNNING = "tofu.sh", "tofu.pid"
WITHIN = timedelta(minutes=45)
STOPS_WITHIN = timedelta(minutes=2)
LOCK_WITHIN_SECONDS = 120
NOTHING, ERROR, CHANGES = 0, 1, 2
"""Exit status of `plan -detailed-exitcode`."""

TELLS = re.compile(r"^Error: (.+?)(?=^(?:Error|Warning): |\Z)", re.DOTALL | re.MULTILINE)
MACHINE = re.compile(r"^ *with module\.\w+\[\"([\w-]+)\"\]", re.MULTILINE)
BESIDE = (
    re.compile(r"^ +(?:with \S+,|on \S+ line \d+.*|\d+: .*)$", re.MULTILINE),
    re.compile(r"^ *task log:.*", re.DOTALL | re.MULTILINE),
    re.compile(r"task\s+\"UPID:[^\"]*\"\s+failed\s+to\s+complete\s+with\s+exit\s+code:\s+"),
)
"""Where in the configuration it happened, and what was told before: the cause stands between, and behind it."""


class ApplyFailed(LabUnavailable):
    """OpenTofu could not make everything; what it made is in its state.

    Attributes:
        transient: Whether the cluster was busy in a way that passes.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        """Keep whether another try helps."""
        super().__init__(message)
        self.transient = transient


@dataclass(frozen=True)
class Tofu:
    """OpenTofu in the folder of one lab.

    Attributes:
        environment: Where it runs; its state is there.
        folder: Of the lab.
        program: OpenTofu.
        settings: Environment variables; secrets among them.
        at_home: Runs something in the network where the cluster is known.
    """

    environment: Path
    folder: Path
    program: Path
    settings: Mapping[str, str] = field(repr=False)
    at_home: Callable[[Callable[[], Any]], Any] = field(repr=False, default=lambda work: work())

    def init(self) -> None:
        """Find the provider in the mirror; nothing is asked of a registry.

        Raises:
            ApplyFailed: It is not there.
        """
        self._must("init", no_color=IsFlagged, input=False)

    def apply(self, parallel: int, replace: str | None = None) -> None:
        """Make everything that is missing.

        Args:
            parallel: How many VMs at once.
            replace: Address of something that is made anew.

        Raises:
            ApplyFailed: Something could not be made; the rest was.
        """
        self._must(
            "apply", auto_approve=IsFlagged, no_color=IsFlagged, input=False, parallelism=parallel, lock_timeout=f"{LOCK_WITHIN_SECONDS}s",
            replace=replace,
        )  # fmt: skip

    def plan(self) -> bool:
        """Whether anything differs from what was applied.

        Raises:
            ApplyFailed: It could not be found out.
        """
        options = {"no_color": IsFlagged, "input": False, "detailed_exitcode": IsFlagged, "lock_timeout": f"{LOCK_WITHIN_SECONDS}s"}
        status, out, err = self._cmd("plan", **options)
        if status not in {NOTHING, CHANGES}:
            raise _failed("plan", out, err)
        return status == CHANGES

    def destroy(self) -> None:
        """Remove everything that is in the state.

        Raises:
            ApplyFailed: Something is left.
        """
        self._must("destroy", auto_approve=IsFlagged, no_color=IsFlagged, input=False, lock_timeout=f"{LOCK_WITHIN_SECONDS}s")

    def output(self) -> dict[str, Any]:
        """All outputs by name.

        Raises:
            ApplyFailed: There is no state.
        """
        said = self._must("output", json=IsFlagged)
        return {name: entry["value"] for name, entry in json.loads(said).items()}

    def stop(self) -> None:
        """Have a call that goes on end in good order: it writes down what it made."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.folder / RUNNING).read_text()), signal.SIGINT)

    def _must(self, words: str, **options: Any) -> str:
        status, out, err = self._cmd(words, **options)
        if status != 0:
            raise _failed(words, out, err)
        return out

    def _cmd(self, words: str, **options: Any) -> tuple[int, str, str]:
        """One call, in a thread of its own, so that Ctrl-C reaches us and not python-terraform: it would lose the process."""
        done: list[tuple[int, str, str]] = []
        failure: list[BaseException] = []
        ended = threading.Event()  # not `join`: where it was interrupted once, it takes the thread for ended (Python 3.11)

        def work() -> None:
            try:
                done.append(self.at_home(lambda: self._call(words, options)))
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                failure.append(error)
            finally:
                ended.set()

        threading.Thread(target=work, name=f"tofu {words}").start()
        try:
            ended.wait()
        except BaseException:
            self.stop()
            ended.wait(STOPS_WITHIN.total_seconds())
            raise
        if failure:
            raise failure[0]
        return done[0]

    def _call(self, words: str, options: Mapping[str, Any]) -> tuple[int, str, str]:
        try:
            terraform = Terraform(working_dir=str(self.environment), terraform_bin_path=str(self._wrapped()))  # reads the state
            with _environment(self.settings), warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # python-terraform still logs with `warn`
                status, out, err = terraform.cmd(words, **options)
        except (OSError, ValueError) as error:
            raise LabUnavailable(f"OpenTofu could not be run in {self.environment}: {error}") from error
        finally:
            (self.folder / RUNNING).unlink(missing_ok=True)
        return status, out, err

    def _wrapped(self) -> Path:
        """A program in OpenTofu's place: it ends when this process ends, or in time, and says which process it is.

        In a session of its own and with `--foreground`, as an interruption must come once: from a terminal it comes to a whole
        group, and `timeout` would pass it on to its child and once more to its group.
        """
        path, quoted = self.folder / PROGRAM, shlex.quote(str(self.program))
        running = shlex.quote(str(self.folder / RUNNING))
        limit = f"timeout --foreground --signal=INT --kill-after={STOPS_WITHIN.total_seconds():g} {WITHIN.total_seconds():g}"
        write_private(path, f'#!/bin/sh\necho $$ > {running}\nexec setsid setpriv --pdeathsig INT -- {limit} {quoted} "$@"\n')
        path.chmod(0o700)
        return path


_ENVIRONMENT = threading.Lock()


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """python-terraform hands on this process's environment and nothing else."""
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _in_short(diagnostic: str) -> str:
    """One error of OpenTofu's: its title, the machine, and the cause."""
    machine, rest = MACHINE.search(diagnostic), diagnostic
    for pattern in BESIDE:
        rest = pattern.sub("", rest)
    title, _, cause = (" ".join(part.split()) for part in rest.strip().partition("\n\n"))
    where = f" ({machine[1]})" if machine else ""
    return f"{title}{where}: {cause}" if cause else f"{title}{where}"


def _failed(words: str, out: str, err: str) -> ApplyFailed:
    text = re.sub(r"[╷│╵] ?", "", err or out)
    told = [_in_short(found) for found in TELLS.findall(text)]
    message = "; ".join(dict.fromkeys(told)) or text.strip() or "it said nothing"
    transient = bool(TRANSIENT.search(message) or LOCKED.search(message))
    return ApplyFailed(f"tofu {words} failed: {message}", transient=transient)
