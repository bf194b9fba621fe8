"""Timers on machines that undo a fault by themselves when the run falls silent: it was killed, or its host sleeps.

The same idea as a train driver's pedal: as long as the run lives it winds the timer up anew; when it does not, the machine does
what the run would have done. Each winding is a new timer of systemd, and the old one is stopped once the new one was seen.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import logging
import shlex
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from faults.control import command
from model.errors import AcceptanceError
from model.lab import Machine
from model.remedy import SILENT_AT_MOST, TIMER, TIMER_MARKS

EVERY = timedelta(seconds=30)
WENT_OFF = "off"
STOP = f"""
systemctl stop {{unit}}.timer 2>/dev/null
if [ -e {{mark}} ]; then echo {WENT_OFF}; fi
rm -f {{mark}}
rmdir {TIMER_MARKS} 2>/dev/null
true
"""
TIMER_WITHIN = timedelta(seconds=15)
log = logging.getLogger(__name__)


@dataclass
class Timer:
    """A timer on a machine.

    Attributes:
        machine: Where.
        script: What it does.
        why: What it undoes, for who finds it there.
        name: Of the unit, without what is counted.
        generation: How often it was wound up.
        wound: Monotonic seconds of the last time.
    """

    machine: Machine
    script: str
    why: str
    name: str
    generation: int = 0
    wound: float = 0.0

    @property
    def unit(self) -> str:
        """The newest."""
        return f"{self.name}-{self.generation}"

    @property
    def mark(self) -> str:
        """A file that is there once it went off."""
        return f"{TIMER_MARKS}/{self.name}"


class DeadMan:
    """The timers of a run.

    Attributes:
        after: How long after the last winding they go off.
    """

    def __init__(self, run: str, after: timedelta = SILENT_AT_MOST, every: timedelta = EVERY) -> None:
        """Prepare; nothing is armed yet.

        Args:
            run: Its id, which the names of its timers carry.
            after: How long it may be silent.
            every: How often the timers are wound up.
        """
        self.after, self._run, self._every = after, run, every
        self._numbers = itertools.count(1)
        self._timers: list[Timer] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def arm(self, machine: Machine, script: str, why: str) -> Timer:
        """Start a timer, and see that it runs.

        Args:
            machine: Where.
            script: What it does when nobody winds it up any more.
            why: What that undoes.

        Raises:
            ControlChannelLost: The machine has no systemd that could, or it did not answer.
        """
        timer = Timer(machine, script, why, f"{TIMER}-{self._run}-{next(self._numbers)}")
        self._wind(timer)
        with self._lock:
            self._timers.append(timer)
        if self._thread is None:  # of its own network: that of whoever arms
            self._thread = threading.Thread(target=self._keep_winding, name="dead man's switch", daemon=True)
            self._thread.start()
        return timer

    def disarm(self, timer: Timer) -> bool:
        """Stop a timer.

        Returns:
            Whether it went off before: then the fault was gone earlier than the scenario thought.

        Raises:
            ControlChannelLost: The machine did not answer.
        """
        with self._lock:
            if timer in self._timers:
                self._timers.remove(timer)
        if not timer.machine.is_on():
            return False
        return command(timer.machine, STOP.format(unit=timer.unit, mark=timer.mark)).stdout.strip() == WENT_OFF

    def close(self) -> None:
        """Wind nothing up any more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=TIMER_WITHIN.total_seconds())

    def _wind(self, timer: Timer) -> None:
        old, timer.generation = timer.unit, timer.generation + 1
        text = base64.b64encode(f"mkdir -p {TIMER_MARKS}; touch {timer.mark}\n{timer.script}".encode()).decode()
        argv = [
            "systemd-run",
            "--quiet",
            f"--unit={timer.unit}",
            f"--description=tofu-ha-acceptance undoes: {timer.why}",
            f"--on-active={self.after.total_seconds():g}s",
            "--timer-property=AccuracySec=100ms",
            "/bin/sh",
            "-c",
            f"echo {text} | base64 -d | /bin/sh",
        ]
        stop = f"systemctl stop {old}.timer 2>/dev/null" if timer.generation > 1 else ":"
        line = f"{shlex.join(argv)} && systemctl is-active --quiet {timer.unit}.timer && {{ {stop}; true; }}"
        started = time.monotonic()
        command(timer.machine, line)
        timer.wound = started

    def _keep_winding(self) -> None:
        while not self._ended.wait(self._every.total_seconds()):
            with self._lock:
                timers = list(self._timers)
            for timer in timers:
                try:
                    self._wind(timer)
                except AcceptanceError as error:  # tried again with the next round; when it stays so, the machine helps itself
                    log.warning("the timer that undoes `%s` could not be wound up: %s", timer.why, error)
                with self._lock:
                    gone = timer not in self._timers
                if gone:  # disarmed meanwhile
                    with contextlib.suppress(AcceptanceError):
                        command(timer.machine, f"systemctl stop {timer.unit}.timer 2>/dev/null; true")
