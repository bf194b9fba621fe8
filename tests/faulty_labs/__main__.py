"""`make prove`: plant every defect, each into a fresh lab, and write down what the suite finds, explains, and takes for one."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated

import typer

from tests.faulty_labs.acceptance_run import ROOT, AcceptanceRun
from tests.faulty_labs.defects import DEFECTS
from tests.faulty_labs.defects.defect import Defect
from tests.faulty_labs.proof import Proof, prove
from tests.faulty_labs.table import Table, write

PLACE = ROOT / "reports" / "proof"
app = typer.Typer(add_completion=False)
FOUND_WANTING, WRONG_USAGE, INTERRUPTED = 1, 4, 130


def chosen(words: list[str]) -> list[Defect]:
    """Defects whose name holds one of the words, or that one of these checks must find; all without words."""
    return [each for each in DEFECTS if not words or any(word in each.name or word in each.expected for word in words)]


class Sitting:
    """Proofs of some defects, several at a time."""

    def __init__(self, place: Path, labs: int) -> None:
        """Prepare an empty place."""
        self._place, self._labs = place, labs
        self._running: list[AcceptanceRun] = []
        self._stopping = threading.Event()
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)

    def prove_all(self, defects: list[Defect], keep: Callable[[list[Proof]], object]) -> list[Proof]:
        """Prove them all, telling of each as soon as it is done; on Ctrl-C those that were done.

        Args:
            defects: Which.
            keep: Given all that are done, after each: a sitting that is killed leaves a table.
        """
        with ThreadPoolExecutor(max_workers=self._labs) as pool:
            waiting = [pool.submit(self._prove, each) for each in defects]
            try:
                for number, done in enumerate(as_completed(waiting), 1):
                    keep(_done(waiting))
                    _tell(done.result(), f"{number:3}/{len(defects)}")
            except KeyboardInterrupt:
                typer.echo("interrupted: the labs that are up are removed first")
                self._stop(pool)
            except BaseException:
                self._stop(pool)
                raise
        return _done(waiting)

    @property
    def interrupted(self) -> bool:
        """Whether it was cut short."""
        return self._stopping.is_set()

    def _prove(self, defect: Defect) -> Proof:
        place = self._place / re.sub(r"\W+", "-", defect.name)
        place.mkdir()
        proof = prove(defect, place, self._running.append)
        if not proof.problems:  # nobody looks at what went well, and a run is megabytes
            shutil.rmtree(place)
        return proof

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        """Each run heals, removes its lab and ends."""
        self._stopping.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for run in self._running:
            if run.process.poll() is None:
                run.process.terminate()


def _done(waiting: list[Future[Proof]]) -> list[Proof]:
    """What came to an end so far, in the order of the defects."""
    return [each.result() for each in waiting if each.done() and not each.cancelled() and each.exception() is None]


def _tell(proof: Proof, number: str) -> None:
    found = ", ".join(proof.found) or "nothing"
    typer.echo(f"{number} {'✗' if proof.problems else '✓'} {proof.defect.name}: found by {found}, {proof.seconds:.0f} s")
    for problem in proof.problems:
        typer.echo("      " + problem.replace("\n", "\n      "))


@app.command()
def main(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD|CHECK]...", help="only defects with these words, or that these checks must find")
    ] = None,
    labs: Annotated[int, typer.Option(min=1, max=8, help="labs at a time; a run mostly waits, so two fit two cores")] = 2,
    output: Annotated[Path, typer.Option(help="folder for the table and for the runs that went wrong; it is emptied first")] = PLACE,
    only_list: Annotated[bool, typer.Option("--list", help="say what would be planted, and what must find it; plant nothing")] = False,
) -> None:
    """Plant defects into labs, each alone and in a fresh one, and judge the suite by what it says."""
    defects = chosen(words or [])
    if not defects:
        typer.echo(f"no defect has {' or '.join(words or [])} in its name, and no such check finds one; --list shows all", err=True)
        raise typer.Exit(WRONG_USAGE)
    if only_list:
        for each in defects:
            typer.echo(f"{each.name} ({each.topology}): {', '.join(each.expected)}; healthy: {', '.join(each.healthy)}")
        return
    if output.exists() and any(output.iterdir()) and not (output / "proof.json").exists() and output != PLACE:
        typer.echo(f"{output} holds something else than a table of proofs and would be emptied; choose another folder", err=True)
        raise typer.Exit(WRONG_USAGE)
    began, sitting = time.monotonic(), Sitting(output, labs)

    def table_of(proofs: list[Proof]) -> Table:
        return Table(proofs, time.monotonic() - began, len(DEFECTS))

    table = table_of(sitting.prove_all(defects, lambda proofs: write(table_of(proofs), output)))
    page = write(table, output)
    typer.echo(f"{table}; {page}")
    if sitting.interrupted:
        raise typer.Exit(INTERRUPTED)
    if table.bad:
        raise typer.Exit(FOUND_WANTING)


if __name__ == "__main__":
    app()
