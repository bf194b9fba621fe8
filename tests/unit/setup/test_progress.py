"""Long steps are told at the start, in between and at the end."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from model.waiting import wait_until
from provisioning.progress import Progress, Step


def test_off_a_terminal_a_step_is_told_in_plain_lines() -> None:
    text = StringIO()
    with Progress(Console(file=text, width=200), every=timedelta(milliseconds=20)).step("building [MinIO]") as step:
        step.report(done=3, total=10, note="compiling x")
        within = timedelta(seconds=10)
        wait_until(lambda: text.getvalue().count("3 of 10, compiling x"), lambda told: told > 1, what="it is told twice", within=within)
    lines = text.getvalue().splitlines()
    assert lines[0] == "building [MinIO] …"
    assert lines[-1] == "building [MinIO]: done in 0 s"


def test_a_step_that_fails_says_so() -> None:
    text = StringIO()
    with pytest.raises(KeyError), Progress(Console(file=text)).step("fetching"):
        raise KeyError
    assert text.getvalue().endswith("fetching: stopped after 0 s\n")


def test_on_a_terminal_a_step_is_drawn_and_summed_up() -> None:
    text = StringIO()
    progress = Progress(Console(file=text, force_terminal=True, width=120))
    with progress.step("building") as step:
        step.report(done=3, total=10)
        within = timedelta(seconds=10)
        wait_until(lambda: "3/10" in text.getvalue(), bool, what="it is drawn", within=within)
    assert "building: done in" in text.getvalue()


def test_a_count_never_exceeds_its_total() -> None:
    step = Step("fetching")
    step.report(done=7, total=5)
    assert (step.done, step.total) == (7, 7)
    step.report(done=9)
    assert "7 of 7" in step.sentence()
