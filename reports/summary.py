"""`summary.md`: the run on at most 60 lines, for the page of a pipeline's job."""

from __future__ import annotations

from collections.abc import Iterator

from model.verdicts import ExitCode, Verdict
from reports.recorded import RecordedCheck, RecordedRun, RecordedScenario

FILE = "summary.md"
MOST_LINES = 60
MOST_LETTERS = 300
SIGNS = {Verdict.PASSED: "✅", Verdict.FAILED: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.NOT_RUN: "⏸️"}
SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in r"\`*_{}[]<>#|~"})


def write(run: RecordedRun) -> None:
    """Write it into the run's folder."""
    (run.folder / FILE).write_text(render(run), encoding="utf-8")


def render(run: RecordedRun) -> str:
    """Verdict, what did not hold and why, then as many rows of checks as there is room for."""
    head = [f"## {_sign(run)} {escaped(run.conclusion)}", ""]
    met = "" if run.gate_met else " (not met)"
    asked = f"Topology {run.topology} on lab {run.driver}, tier {run.tier}, gate {run.gate.value}{met}"
    head += [f"{asked}; exit code {run.exit_code}; {run.spent.in_all:.0f} s; run `{run.id}`.", ""]
    trouble = [line for entry in _troubled(run) for line in _trouble(entry)]
    room = MOST_LINES - len(head) - 8
    head += _cut(trouble, room // 2, "more scenarios that failed or are inconclusive")
    head += [f"- the lab is dirty: {escaped(entry)}" for entry in run.dirty[:3]]
    rows = [_row(check) for check in sorted(run.checks, key=lambda check: -check.verdict.severity if check.verdict in _BAD else 0)]
    table = ["", "| check | sentence | verdict | measured |", "| --- | --- | --- | --- |"]
    rows = _cut(rows, MOST_LINES - len(head) - len(table) - 2, "")
    rest = len(run.checks) - len(rows)
    tail = ["", f"{rest} more checks are in `run.json`."] if rest > 0 else []
    return "\n".join([*head, *table, *rows, *tail]) + "\n"


def _sign(run: RecordedRun) -> str:
    """Green only where every check holds: a selection that passed says nothing about the rest."""
    if run.exit_code == ExitCode.FAILED:
        return SIGNS[Verdict.FAILED]
    all_hold = run.checks and all(check.verdict is Verdict.PASSED for check in run.checks)
    return SIGNS[Verdict.PASSED] if run.exit_code == ExitCode.OK and all_hold else "⚠️"


_BAD = {Verdict.FAILED, Verdict.INCONCLUSIVE}


def _troubled(run: RecordedRun) -> list[RecordedScenario]:
    return sorted((entry for entry in run.scenarios if entry.verdict in _BAD), key=lambda entry: -entry.verdict.severity)


def _trouble(entry: RecordedScenario) -> Iterator[str]:
    told = escaped(": ".join(part for part in (entry.sentence, entry.reason) if part))
    what = f"{SIGNS[entry.verdict]} **{entry.verdict.value}** {', '.join(entry.checks)}"
    yield f"- {what}: {escaped(entry.title)} (`{entry.file}:{entry.line}`): {told}"


def _row(check: RecordedCheck) -> str:
    numbers = "; ".join(dict.fromkeys(entry.sentence() for entry in check.measurements))
    why = f" ({', '.join(check.reasons)})" if check.reasons else ""
    cells = (check.id, check.sentence, f"{SIGNS[check.verdict]} {check.words}{why}", numbers)
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def _cut(lines: list[str], most: int, what: str) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], *([f"- and {len(lines) - most + 1} {what}"] if what else [])]


def escaped(text: str) -> str:
    """A text as Markdown shows it, on one line, cut where it is long."""
    line = " ".join(text.split())
    return (line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 1] + "…").translate(SPECIAL)
