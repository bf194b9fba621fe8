"""Long steps say what they do, for how long, and how far they are: live on a terminal, as plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

SPOKEN_EVERY = timedelta(seconds=30)
"""How often a long step says on a non-terminal that it lives."""


@dataclass
class Step:
    """One long step while it runs.

    Attributes:
        title: What is done, in a few words.
        done: How many parts are done.
        total: How many parts there are; None while nobody knows.
        note: What is being done right now.
        started: When it began, on the monotonic clock.
    """

    title: str
    done: int = 0
    total: int | None = None
    note: str = ""
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed_seconds(self) -> float:
        """Time since the step began."""
        return time.monotonic() - self.started

    def report(self, done: int | None = None, total: int | None = None, note: str | None = None) -> None:
        """Say how far the step is; what is not given stays as it was."""
        self.done = self.done if done is None else done
        self.total = self.total if total is None else max(total, self.done)
        self.note = self.note if note is None else note

    def sentence(self) -> str:
        """The step as one line: `building MinIO: 41 s, 512 of 1301, compiling …`."""
        parts = [f"{self.elapsed_seconds:.0f} s"]
        if self.total:
            parts.append(f"{min(self.done, self.total)} of {self.total}")
        elif self.done:
            parts.append(str(self.done))
        if self.note:
            parts.append(self.note)
        return f"{self.title}: {', '.join(parts)}"


class Progress:
    """Shows steps, one at a time."""

    def __init__(self, console: Console | None = None, every: timedelta = SPOKEN_EVERY) -> None:
        """Show on a console.

        Args:
            console: Where to show; standard error unless given.
            every: How often a step is repeated where no live display is possible.
        """
        self.console = console or Console(stderr=True, soft_wrap=True, highlight=False)
        self.every = every

    def say(self, line: str) -> None:
        """One plain line."""
        self.console.print(line, markup=False)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step from its beginning to its end.

        Args:
            title: What is done, in a few words ("building MinIO").

        Yields:
            The step, to which its progress is reported.
        """
        step = Step(title)
        ended = threading.Event()
        live: AbstractContextManager[Bars | None] = self._bars() if self.console.is_terminal else nullcontext(None)
        with live as bars:
            if bars is None:
                self.say(f"{title} …")
            shown = threading.Thread(target=self._show, args=(step, bars, ended), daemon=True)
            shown.start()
            try:
                yield step
            except BaseException:
                self._end(ended, shown)
                self.say(f"{title}: stopped after {step.elapsed_seconds:.0f} s")
                raise
            self._end(ended, shown)
        self.say(f"{title}: done in {step.elapsed_seconds:.0f} s")

    @staticmethod
    def _end(ended: threading.Event, shown: threading.Thread) -> None:
        ended.set()
        shown.join()

    def _bars(self) -> Bars:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[far]}"), TimeElapsedColumn())
        return Bars(*columns, console=self.console, transient=True)

    def _show(self, step: Step, bars: Bars | None, ended: threading.Event) -> None:
        if bars is None:
            while not ended.wait(self.every.total_seconds()):
                self.say(step.sentence())
            return
        task = bars.add_task(step.title, total=None, far="")
        while not ended.wait(0.2):
            count = f"{step.done}/{step.total} " if step.total else ""
            bars.update(task, completed=step.done, total=step.total, far=f"{count}{step.note[:50]}")
