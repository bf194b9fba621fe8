"""Runs as they could have been recorded, for pages to be made from: one with everything in it, and one of any size."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from model.measurements import Measurement, at_most
from model.story import LabFacts, MachineFacts, PhaseResult, SentenceResult, Status, Strike, SuiteFacts
from model.verdicts import Gate, Verdict
from reports.recorded import (
    FILE,
    SCHEMA_VERSION,
    Digests,
    EvidenceFile,
    LeftOut,
    PlannedCheck,
    RecordedCheck,
    RecordedRun,
    RecordedScenario,
    Spent,
    dump,
    load,
)
from tests.pages import messages

STRUCK = datetime(2026, 3, 4, 10, 0, tzinfo=UTC).timestamp()
TRICKY = "<script>alert(1)</script> \"quoted\" 'single' 🔒 \u202e\u05d0\u05d1\u05d2\u202c &amp; `odd"
"""What must be shown as the text that it is."""

V4, V7, B8, T1, H21 = (
    ("V4", "State locking prevents concurrent applies", "Validation Checklist, item 4"),
    ("V7", "HAProxy automatically fails over when a runner goes down", "Validation Checklist, item 7"),
    ("B8", "Automatic failover (transparent to users)", "Architecture Benefits, Operational Simplicity"),
    ("T1", "Test 1: State Locking", "Step 6: Test HA Configuration"),
    ("H21", "A silent session lives on", "Hardening: not in the guide"),
)


def history(path: Path, *, until: float = 60.0) -> None:
    """A client that opens a connection five times a second; two are lost, one is slow, one hangs."""
    lines = []
    for number in range(int((until + 8) * 5)):
        started = number / 5
        moment = STRUCK - 8 + started
        lost = 0.3 < moment - STRUCK < 0.8
        who = "" if lost else f"runner0{1 + number % 3}"
        if 0 <= moment - STRUCK < 42 and who == "runner02":
            who = "runner03"
        entry = {
            "name": "connection",
            "at": datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds"),
            "started": started,
            "ended": None if number == 50 else started + (2.1 if number == 44 else 0.05),
            "outcome": "failed" if lost else "unknown" if number == 50 else "ok",
            "who": who,
            "detail": "",
            "labels": {},
        }
        lines.append(json.dumps(entry) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def wait(name: str, seconds: float, allowed: float, at: float) -> Measurement:
    """A measured wait after a fault."""
    return Measurement(name, seconds, "s", at_most(allowed), {"fault": "plug pulled"}, "", (), at)


def scenario(folder: Path, title: str, checks: tuple[str, ...], verdict: Verdict = Verdict.PASSED, reason: str = "") -> RecordedScenario:
    """One scenario of three sentences, the last of which decides; with a file of evidence."""
    slug = "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in title.lower())[:80]
    evidence = f"evidence/{slug}"
    (folder / evidence).mkdir(parents=True, exist_ok=True)
    (folder / evidence / "story.txt").write_text(f"{title}\n", encoding="utf-8")
    status = Status.of(verdict)
    texts = (("Given", "a runner that answered a connection to the fleet"), ("When", "its plug is pulled"), ("Then", f"{title} holds"))
    sentences = [
        SentenceResult(word, text, 9 + row, 1.5, Status.PASSED, "", STRUCK - 2 + row * 2) for row, (word, text) in enumerate(texts)
    ]
    sentences[-1] = replace(sentences[-1], status=status, reason=reason)
    return RecordedScenario(
        nodeid=f"features/balancer/failover.feature::{slug}",
        title=title,
        feature="The fleet gets over the loss of a runner",
        rule=V7[1],
        file="features/balancer/failover.feature",
        line=9,
        checks=checks,
        tier="gate",
        disruptive=False,
        verdict=verdict,
        reason=reason,
        sentence="" if verdict is Verdict.PASSED else f"Then {title} holds (line 11)",
        seconds=12.3,
        waited=8.0,
        started=STRUCK - 4,
        sentences=tuple(sentences),
        phases=(PhaseResult("set-up", 1.2, Status.PASSED, "", STRUCK - 9),),
        evidence=evidence,
        files=(EvidenceFile(f"{evidence}/story.txt", len(title) + 1, binary=False),),
    )


def disruptive(folder: Path, title: str, checks: tuple[str, ...], *, with_history: bool = True) -> RecordedScenario:
    """One that pulled a plug, with what a client saw meanwhile."""
    plain = scenario(folder, title, checks)
    histories: tuple[str, ...] = ()
    if with_history:
        histories = (f"{plain.evidence}/connections-to-the-fleet.history.jsonl",)
        history(folder / histories[0])
    return replace(
        plain,
        disruptive=True,
        faults=(Strike("plug pulled", ("runner02",), STRUCK, STRUCK + 0.2, STRUCK + 36),),
        measurements=(wait("out of rotation after", 4.6, 35, STRUCK + 4.6), wait("used again after", 1.8, 15, STRUCK + 44)),
        phases=(*plain.phases, PhaseResult("recovery", 8.4, Status.PASSED, "", STRUCK + 36)),
        histories=histories,
    )


def check(told: tuple[str, str, str], scenarios: list[RecordedScenario], verdict: Verdict, words: str = "") -> RecordedCheck:
    """One row of the checklist."""
    mine = [entry for entry in scenarios if told[0] in entry.checks]
    return RecordedCheck(
        *told,
        verdict=verdict,
        words=words or verdict.value,
        seconds=sum(entry.seconds for entry in mine),
        ran=len(mine),
        applicable=len(mine) + bool(words),
        reasons=("not selected",) if words or verdict is Verdict.NOT_RUN else (),
        measurements=tuple(number for entry in mine for number in entry.measurements),
        scenarios=tuple(entry.nodeid for entry in mine),
    )


LAB = LabFacts(
    name="u20260304-ab",
    machines=(
        MachineFacts("storage01", "storage", "10.1.0.101"),
        MachineFacts("balancer01", "balancer", "10.1.0.102"),
        *(MachineFacts(f"runner0{number}", "runner", f"10.1.0.{102 + number}") for number in (1, 2, 3)),
    ),
    versions={"OpenTofu": "1.12.3", "MinIO": "RELEASE.2026-01-02T03-04-05Z", "HAProxy": "2.6.12"},
    backend={f"runner0{number}:/etc/tofu/backend.tfbackend": 'bucket = "opentofu-state-storage"\n' for number in (1, 2, 3)},
    balancer={"balancer01:/etc/haproxy/haproxy.cfg": "listen fleet\n    bind 10.1.0.102:9000\n"},
    baseline="as in the reference",
)


def run_of(folder: Path, scenarios: list[RecordedScenario], checks: list[RecordedCheck], **changes: object) -> RecordedRun:
    """A run that is written to its folder and read again, as pages get it."""
    started = datetime.fromtimestamp(STRUCK, UTC)
    plain = RecordedRun(
        schema_version=SCHEMA_VERSION,
        id=folder.name,
        started=started,
        ended=started + timedelta(seconds=180),
        driver="embedded",
        topology="single",
        tier="gate",
        gate=Gate.ALL,
        gate_met=True,
        seed=folder.name,
        exit_code=0,
        conclusion=f"{len(checks)} of {len(checks)} checks hold.",
        stopped="",
        interrupted=False,
        dirty=(),
        suite=SuiteFacts("0.1.0", "0123456789abcdef" * 2, python="3.11.2", host="Debian GNU/Linux 12, x86_64", command=("features/",)),
        lab=LAB,
        spent=Spent(22.4, 130.0, 91.5, 6.1, 171.9),
        digests=Digests("a" * 64, "b" * 64),
        checks=tuple(checks),
        planned=(PlannedCheck("H05", "Two states never block one another", H21[2]),),
        scenarios=tuple(scenarios),
        left_out=(),
    )
    run = replace(plain, **changes)  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(dump(run), encoding="utf-8")
    return load(folder)


def passed_run(folder: Path) -> RecordedRun:
    """Everything holds."""
    scenarios = [scenario(folder, "The second runner is told who holds the lock", ("V4",)), disruptive(folder, "A plug is pulled", ("V7",))]
    return run_of(folder, scenarios, [check(V4, scenarios, Verdict.PASSED), check(V7, scenarios, Verdict.PASSED)])


def failed_run(folder: Path) -> RecordedRun:
    """Every verdict, and text that wants to be markup."""
    late = "expected runner02 to be out of rotation within 35 s; observed 41.2 s on balancer01"
    scenarios = [
        scenario(folder, "The second runner is told who holds the lock", ("V4", "T1")),
        replace(scenario(folder, "A runner is shut down politely", ("V7",), Verdict.FAILED, late)),
        scenario(folder, f"Nobody minds {TRICKY}", ("B8",), Verdict.FAILED, f"expected nothing; observed {TRICKY}"),
        disruptive(folder, "Nobody who connects notices that a runner died", ("B8",)),
        scenario(folder, "A session says nothing", ("H21",), Verdict.INCONCLUSIVE, "ControlChannelLost: no way into runner01"),
    ]
    checks = [
        check(V4, scenarios, Verdict.PASSED),
        check(V7, scenarios, Verdict.FAILED),
        check(T1, scenarios, Verdict.NOT_RUN, "passed in part, 1 of 2"),
        check(B8, scenarios, Verdict.FAILED),
        check(H21, scenarios, Verdict.INCONCLUSIVE),
    ]
    left_out = (LeftOut("features/a.feature::b", "From two sessions", "features/a.feature", 3, ("T1",), "not selected"),)
    conclusion = "1 of 5 checks hold; failed: V7, B8; inconclusive: H21; passed in part (not selected): T1."
    return run_of(folder, scenarios, checks, exit_code=1, gate_met=False, conclusion=conclusion, left_out=left_out)


def empty_run(folder: Path) -> RecordedRun:
    """Nothing was run, and no lab came up."""
    checks = [check(V4, [], Verdict.NOT_RUN), check(V7, [], Verdict.NOT_RUN)]
    conclusion = "0 of 2 checks hold; not run (interrupted): V4, V7; interrupted."
    return run_of(folder, [], checks, lab=None, interrupted=True, exit_code=2, gate_met=False, conclusion=conclusion, planned=())


def big_run(folder: Path, count: int = 500, breaking: int = 100) -> RecordedRun:
    """A run of many scenarios, some with pictures, some with endless messages, and a record with a big attachment."""
    model = disruptive(folder, "A plug is pulled", ("V7",))
    late = "expected runner02 to be out of rotation; observed " + "x" * 100_000
    bad = scenario(folder, "A runner is shut down", ("V7",), Verdict.FAILED, late)
    scenarios = []
    for number in range(count):
        one = model if number < breaking else bad if number % 10 == 0 else scenario(folder, f"Scenario {number}", ("V4",))
        scenarios.append(replace(one, title=f"Number {number}"))
    messages.write(folder / "messages.ndjson", [("V4", f"Number {number}", "PASSED") for number in range(count)], "y" * 1_000_000)
    return run_of(folder, scenarios, [check(told, scenarios, Verdict.FAILED) for told in (V4, V7)], exit_code=1)
