"""`docs/the-guide-as-written.md` and the head of README.md, from what runs and races found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.as_written.changes import CHANGES, REFERENCE, anchor, changes_for, place
from benchmarks.as_written.record import PROMISES, Findings, Holding, Number, Promise, Run, Scenario
from benchmarks.host import ROOT
from benchmarks.tables import replaced
from model.verdicts import Verdict

PAGE = ROOT / "docs/the-guide-as-written.md"
README = ROOT / "README.md"
MARKER = "as-written"
TITLES = {
    "as-written": "as built: MinIO was started first",
    "as-written-haproxy-first": "HAProxy was started first",
    "as-written-resolved": "clash resolved: a host each",
    "single": "reference configuration",
}
QUOTED = 6
GUIDE = tuple(name for name in TITLES if name.startswith("as-written"))
WORDS = {Verdict.FAILED: "**fails**", Verdict.INCONCLUSIVE: "nobody can tell", Verdict.NOT_RUN: "not run"}
NAMES = {"minio": "MinIO", "haproxy": "HAProxy", "nobody": "nobody"}

INTRODUCTION = """# The guide as written

What a reader gets who follows the guide to the letter, as `pytest features/` found it with the real programs on embedded labs, and
what to change. The configuration that keeps all promises is [the reference configuration](reference-configuration.md).

This page is written by `make as-written` from [the-guide-as-written.json](the-guide-as-written.json), the record of the runs, reduced;
nobody wrote a verdict or a number by hand, and a test keeps the page, the record and the head of the README together. One of the
labs by hand: `.venv/bin/python -m provisioning up --topology as-written`.
"""

BUILT = """
## What was built

- `as-written`: MinIO (step 1, option A) and HAProxy (step 5) on one host, 10.1.0.102, in the guide's order: MinIO is started first.
  Both want port 9000 of every address of the host. Three runners from 10.1.0.103 upwards (step 4), as root, with the guide's
  backend block (step 3).
- `as-written-haproxy-first`: the same host after a boot at which HAProxy was quicker; nothing in the guide says who has to be.
- `as-written-resolved`: the same listings, MinIO on 10.1.0.101 and HAProxy on 10.1.0.102, and the backend block with MinIO's new address.
- `single`, to compare: the same machines with the reference configuration.

Where the guide says nothing, this was taken: Debian 12 with its own HAProxy and sshd; each runner with the host key that it made itself,
and a client that takes the first key it is shown on trust (`ssh` asks once) and no other; logins by key. The guide's backend block is in a
partial configuration on the runners instead of in `main.tf`, as the suite's jobs bring `backend "s3" {}`: same settings, same keys.
"""


def page(findings: Findings) -> str:
    """The whole page, in Markdown."""
    return "\n".join(
        [INTRODUCTION, *_promises(findings), BUILT, *_port(findings), *_why(findings), *_numbers(findings), *_sources(findings)]
    )


def lead(findings: Findings) -> str:
    """The head of the README: a sentence, the checklist, and how far the suite itself is proven."""
    return "\n".join([_sentence(findings, "docs/the-guide-as-written.md"), "", *_table(findings, PROMISES), "", *_proven(findings)])


def rewrite_readme(findings: Findings) -> None:
    """Put the lead between its markers."""
    text = README.read_text(encoding="utf-8")
    README.write_text(replaced(text, MARKER, lead(findings)), encoding="utf-8")


def _sentence(findings: Findings, link: str = "") -> str:
    name = f"[The guide as written]({link})" if link else "The guide as written"
    holding = {topology: findings.on(topology).holding() for topology in TITLES}
    return (
        f"***{name}: {holding['as-written']} of 8 promises hold.*** "
        f"With the clash of its two services for one port resolved, {holding['as-written-resolved']} of 8 hold; "
        f"with [the reference configuration]({'docs/' if link else ''}{REFERENCE}) {holding['single']} of 8.\n\n"
        f"MinIO and HAProxy both want port 9000 of one host. {_built(findings)} {_outcome(findings)} "
        f"Where HAProxy was started first, {holding['as-written-haproxy-first']} of 8 promises hold."
    )


def _seen(holding: Holding) -> str:
    return f"{NAMES[holding.answers]} answers at port 9000, systemd calls MinIO {holding.minio} and HAProxy {holding.haproxy}"


def _built(findings: Findings) -> str:
    return f"As it is built, {_seen(findings.built)}." if findings.built else ""


def _outcome(findings: Findings) -> str:
    total = len(findings.reboots)
    told = "; ".join(f"in {count} of {total}, {_seen(seen)}" for seen, count in findings.outcomes().most_common())
    return f"After a reboot, at which systemd starts both at once: {told}."


def _table(findings: Findings, checks: Sequence[str]) -> Iterator[str]:
    yield f"| promise | {' | '.join(TITLES.values())} |"
    yield f"| --- |{' --- |' * len(TITLES)}"
    for check in checks:
        runs = [findings.on(topology) for topology in TITLES]
        cells = [_cell(run, run.promise(check)) for run in runs]
        yield f"| {check} {runs[0].promise(check).sentence} | {' | '.join(cells)} |"


def _cell(run: Run, promise: Promise) -> str:
    """A verdict, with the number that came nearest to its threshold; where one fails, only a number that is beyond."""
    bounded = [number for number in run.numbers(promise.id) if number.limit and number.limit.kind == "at most"]
    nearest = max(bounded, key=_share, default=None)
    told = nearest is not None and (promise.holds or _share(nearest) > 1)
    number = f", {nearest.value:.3g} of {nearest.limit.bound:g} {nearest.unit}" if told and nearest and nearest.limit else ""
    word = "holds" if promise.holds else WORDS.get(promise.verdict, promise.words)
    return f"{word}{number}"


def _share(number: Number) -> float:
    return number.value / number.limit.bound if number.limit else 0.0


def _proven(findings: Findings) -> Iterator[str]:
    """How far the verdicts can be believed."""
    proof = findings.planted
    if proof is None:
        return
    yield "How far such a verdict can be believed: `make prove` plants defects, each into a lab of its own, and looks what the suite says"
    yield f"({proof.made[:10]}, revision `{proof.revision}`)."
    yield ""
    yield "| planted | found | explained | false alarms |"
    yield "| --- | --- | --- | --- |"
    yield f"| {proof.planted} of {proof.known} | {proof.found} | {proof.explained} | {proof.false_alarms} |"
    yield ""
    if findings.soaked:
        runs, met = findings.soaked.runs, findings.soaked.met
        yield f"And on healthy labs: of {runs} runs of the gate until {findings.soaked.newest[:10]}, {met} met it;"
        yield "what the others said, and what was done about it, is in [docs/soak.md](docs/soak.md)."


def _promises(findings: Findings) -> Iterator[str]:
    yield "## Which promises hold"
    yield ""
    yield _sentence(findings)
    yield ""
    yield from _table(findings, PROMISES)
    yield ""
    yield "The guide's tests (T) and build steps (S), the same way:"
    yield ""
    first = findings.on(next(iter(TITLES)))
    yield from _table(findings, [promise.id for promise in first.promises if promise.id not in PROMISES])


def _port(findings: Findings) -> Iterator[str]:
    yield "## Who has port 9000"
    yield ""
    yield f"{_built(findings)} {_outcome(findings)}"
    yield ""
    yield "| | times | answers clients | listens | MinIO is | HAProxy is |"
    yield "| --- | --- | --- | --- | --- | --- |"
    rows = [("as built: MinIO was started first", 1, findings.built), ("HAProxy was started first", 1, findings.turned)]
    for title, count, seen in [*rows, *(("after a reboot", count, seen) for seen, count in findings.outcomes().most_common())]:
        if seen is not None:
            listens = " and ".join(NAMES.get(name, name) for name in seen.listens)
            yield f"| {title} | {count} | {NAMES[seen.answers]} | {listens} | {seen.minio} | {seen.haproxy} |"
    yield ""
    yield "Clients are another machine of the lab that asks 10.1.0.102:9000, for MinIO's health page and for an SSH greeting."
    yield f"({findings.raced}; each outcome stayed as it is for 8 s.)"
    yield ""


def _why(findings: Findings) -> Iterator[str]:
    yield "## What fails, why, and the change to make"
    for topology in GUIDE:
        run = findings.on(topology)
        yield f"\n### `{topology}`: {TITLES[topology]}"
        yield f"\nThe lab came up like this: {run.baseline}."
        for promise in run.promises:
            if not promise.holds:
                yield from _broken(run, promise)


def _broken(run: Run, promise: Promise) -> Iterator[str]:
    """Why a promise does not hold: the first of its scenarios in its own words, the others by name."""
    broken = run.broken(promise.id)
    yield f"\n**{promise.id} {promise.sentence}**: {promise.words}, in {len(broken)} of {len(run.of(promise.id))} scenarios.\n"
    if broken:
        first, *others = broken
        yield f"[{first.title}](../{first.file}):\n\n```text"
        yield from _words(first)
        yield "```\n"
        if others:
            yield f"So also: {'; '.join(f'[{each.title}](../{each.file})' for each in others)}.\n"
    changes = "; ".join(f"[{change.title}](#{anchor(change.title)})" for change in changes_for(run, broken))
    yield f"Change: {changes or 'none is known'}. {_book(promise.id)}"


def _words(scenario: Scenario) -> list[str]:
    """The beginning of an explanation and the errors in it, without a client's decoration."""
    lines = [line for line in scenario.reason.splitlines() if set(line.strip()) != {"@"}]
    causes = [line for line in lines[QUOTED:] if line.strip().startswith("Error")]
    return [*lines[:QUOTED], *(["…"] if len(lines) > QUOTED else []), *causes]


def _book(check: str) -> str:
    return f"How it is looked at: `reports/spec.html#check-{check.lower()}` (`make tour` writes the book)."


def _numbers(findings: Findings) -> Iterator[str]:
    yield "\n## The changes\n"
    yield f"Each is part of [the reference configuration]({REFERENCE}), which says with every setting which promise wants it."
    for change in CHANGES:
        if any(change.fits(name, each) for name in GUIDE for each in findings.on(name).scenarios if each.reason):
            yield f"\n### {change.title}\n\n{change.text} ([reference]({place(change)}))"
    yield "\n## What was measured\n"
    yield f"| promise, scenario | {' | '.join(TITLES.values())} |"
    yield f"| --- |{' --- |' * len(TITLES)}"
    for check, title in dict.fromkeys((check, each.title) for run in findings.runs for each in run.scenarios for check in each.checks):
        if any(_told(findings.on(name), check, title) for name in TITLES):
            yield f"| {check}, {title} | {' | '.join(_told(findings.on(name), check, title) or '—' for name in TITLES)} |"


def _told(run: Run, check: str, title: str) -> str:
    return "<br>".join(str(number) for each in run.scenarios if check in each.checks and each.title == title for number in each.numbers)


def _sources(findings: Findings) -> Iterator[str]:
    yield "\n## The runs\n"
    yield "| topology | command | begun | revision | seconds | digest of the record |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for topology in TITLES:
        run = findings.on(topology)
        command = f"pytest {' '.join(run.command)}".replace("|", "/")
        yield f"| {topology} | `{command}` | {run.started} | `{run.commit}` | {run.seconds:.0f} | `{run.record[:12]}` |"
    versions = findings.on("as-written").versions
    yield f"\n{', '.join(f'{name} {version}' for name, version in versions.items() if name != 'keepalived')}."
    yield ""
