"""What to change in the guide's configuration, by what was observed; the changes themselves are the reference configuration's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.as_written.record import Run, Scenario
from benchmarks.host import ROOT
from model.errors import BadInput

REFERENCE = "reference-configuration.md"


@dataclass(frozen=True)
class Change:
    """One change, and what shows that it is needed.

    Attributes:
        title: In a few words.
        text: What to write, in Markdown.
        section: Of the reference configuration, which has it.
        reason: What the explanation of a scenario says where it is needed.
        topologies: Where it is possible; all without.
        checks: Checks whose scenarios it is looked for in; all without.
    """

    title: str
    text: str
    section: str
    reason: str
    topologies: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    def fits(self, topology: str, scenario: Scenario) -> bool:
        """Whether what a scenario said asks for it."""
        return (
            (not self.topologies or topology in self.topologies)
            and (not self.checks or bool(set(self.checks) & set(scenario.checks)))
            and re.search(self.reason, scenario.reason, re.DOTALL) is not None
        )


def anchor(title: str) -> str:
    """Of a heading, as GitHub makes it."""
    return "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -").replace(" ", "-")


def place(change: Change) -> str:
    """Link to the change's section of the reference configuration.

    Raises:
        BadInput: It has none.
    """
    for line in (ROOT / "docs" / REFERENCE).read_text(encoding="utf-8").splitlines():
        if line.startswith(f"## {change.section}: "):
            return f"{REFERENCE}#{anchor(line.removeprefix('## '))}"
    raise BadInput(f"{REFERENCE} has no section {change.section!r}")


CLASH = ("as-written", "as-written-haproxy-first")

CHANGES: tuple[Change, ...] = (
    Change(
        "A host each for MinIO and HAProxy",
        "Two services cannot have one port. Put MinIO on another host than HAProxy (10.1.0.101 here), and write its address into "
        'the backend block: `endpoints = { s3 = "http://10.1.0.101:9000" }`. Where there is but one host, give it a second address, and '
        "have each bind its own: `minio server --address 10.1.0.101:9000 …`, `bind 10.1.0.102:9000`. The reference does both.",
        "Storage",
        r"10\.1\.0\.102:9000.*(malformed HTTP|connection refused|reset|BadStatusLine|Connection broken)|minio\.service to be active",
        CLASH,
    ),
    Change(
        "Runners that prove who they are",
        "Three runners behind one address show three host keys: whoever took the first on trust is warned of an attack by the next one and "
        "does not connect. Sign the runners' host keys with one host CA, for the endpoint's address, and give clients its line: "
        "`@cert-authority [10.1.0.102]:9000 ssh-ed25519 …`.",
        "Runner",
        "REMOTE HOST IDENTIFICATION HAS CHANGED|answered by a stranger",
    ),
    Change(
        "Another runner when one does not answer",
        "A runner that has just died stays in rotation until three checks have failed (`inter 5s fall 3`), and meanwhile every "
        "third connection waits for it. `option redispatch` and `timeout connect 1s` send that connection to another runner after a "
        "second; `inter 2s fastinter 500ms downinter 1s` and `timeout check 1s` take the dead one out within 6 s.",
        "Balancer",
        "to be answered while runner0[123] is down; observed (silent .*no SSH banner|reset|refused)",
    ),
    Change(
        "Arguments that OpenTofu still wants",
        "`endpoint` and `force_path_style` are outdated: write `endpoints = { s3 = … }` and `use_path_style = true`.",
        "Runner",
        "[Dd]eprecated|outdated argument",
        checks=("S3",),
    ),
)


def changes_for(run: Run, scenarios: Iterable[Scenario]) -> tuple[Change, ...]:
    """Changes that the explanations of these scenarios ask for, each once."""
    return tuple(change for change in CHANGES if any(change.fits(run.topology, each) for each in scenarios))
