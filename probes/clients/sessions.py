"""Long-lived, silent sessions through the endpoint: who had one, until when, and how it ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from model.errors import AcceptanceError, PromiseBroken
from model.history import Begun, Outcome
from model.lab import Lab
from probes import ssh
from probes.clients.paced import STOP_WITHIN, Client
from probes.job_steps import MARK
from probes.outcomes import RunningCommand, SshOutcome

LOOK_EVERY_SECONDS = 0.05
LIVES = timedelta(minutes=15)
"""The quiet command ends by itself after this."""

QUIET = "export {mark}=session; for _ in $(seq {seconds}); do sleep 1; kill -0 $PPID 2>/dev/null || exit; done"
"""It ends with its session, too, so that nothing stays on a runner: sshd(8) kills no command whose client has gone."""


@dataclass(frozen=True)
class _Held:
    """One session."""

    begun: Begun
    command: RunningCommand
    who: str


class SessionHolder(Client):
    """Holds sessions in which a quiet command runs; each is an operation `session`.

    *ok* is a session that lived until the client was stopped, *failed* one that somebody else ended; `detail` says how,
    `who` is the runner it was with.
    """

    def __init__(self, lab: Lab, count: int, *, lives: timedelta = LIVES) -> None:
        """Prepare; nothing is opened yet.

        Args:
            lab: Where.
            count: How many sessions.
            lives: After this the quiet command ends by itself.
        """
        super().__init__("sessions with the fleet")
        self.lab, self.count, self._lives = lab, count, lives
        self._held: list[_Held] = []
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self) -> Self:
        """Open all sessions one after another, and begin to watch them.

        Raises:
            PromiseBroken: The endpoint does not let one in.
            AcceptanceError: The watching thread cannot be started.
        """
        login = ssh.fleet_login(self.lab)
        for number in range(self.count):
            session = ssh.connect(login)
            if isinstance(session, SshOutcome):
                self.stop()
                msg = f"expected session {number + 1} of {self.count} to be let in at {login.address}; observed {session}"
                raise PromiseBroken(msg)
            who = ssh.who_answered(self.lab, session) or ""
            command = session.start(QUIET.format(mark=MARK, seconds=round(self._lives.total_seconds())))
            self._held.append(_Held(self.history.begin("session", number=str(number), runner=who), command, who))
        self._watcher = threading.Thread(target=self._watch, name=self.history.name, daemon=True)
        try:
            self._watcher.start()
        except RuntimeError as error:
            self.stop()
            msg = f"the client '{self.history.name}' cannot start: {error}"
            raise AcceptanceError(msg) from error
        return self

    def with_runner(self, name: str) -> int:
        """How many of the sessions that were opened are, or were, with a runner."""
        return sum(held.who == name for held in self._held)

    def stop(self, within: timedelta = STOP_WITHIN) -> None:
        """End all sessions that are still there."""
        self._stopping.set()
        if self._watcher is not None and self._watcher.is_alive():
            self._watcher.join(within.total_seconds())
        for held in self._held:
            if held.begun.operation.under_way and not held.command.ended:
                held.begun.end(Outcome.OK, who=held.who, detail="lived until the client was stopped")
            elif held.begun.operation.under_way:
                self._note_end(held)
            held.command.close()
        self.history.give_up("not ended when the client was stopped")

    def _watch(self) -> None:
        try:
            while not self._stopping.wait(LOOK_EVERY_SECONDS):
                for held in self._held:
                    if held.begun.operation.under_way and held.command.ended:
                        self._note_end(held)
        except Exception as error:  # noqa: BLE001 - whatever our code does wrong must be told, and not die in a thread
            self.broken.append(f"{type(error).__name__}: {error}")

    def _note_end(self, held: _Held) -> None:
        now = self.history.now()
        outcome = held.command.finish(timedelta(seconds=1))
        held.begun.end(Outcome.FAILED, who=held.who, detail=str(outcome), ended=now, labels={"reached": str(outcome.reached)})
