"""What a run could leave in a lab: looked at before it begins and after it has ended, compared by `probes.leftovers`."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from model.errors import AcceptanceError
from model.lab import Ability, Lab, Machine
from model.remedy import TIMER, TIMER_MARKS
from probes.job_steps import MARK
from probes.snapshots import ObjectVersion
from probes.store import StoreProbe

LOOK_WITHIN = timedelta(seconds=20)
SECTION = re.compile(r"^@@ (\w+)$")

LOOK = r"""
say() { echo "@@ $1"; }
say tables; nft list tables 2>/dev/null
say rules; nft -s list ruleset 2>/dev/null | sed 's/ *counter packets [0-9]* bytes [0-9]*//' | md5sum | cut -d' ' -f1
say files; ls -d /tmp/pipeline-?????????? /tmp/starting-line-* @MARKS@ /root/*-set-aside 2>/dev/null
say digests; sha256sum /etc/haproxy/haproxy.cfg /etc/keepalived/keepalived.conf /etc/default/minio @BACKEND@ \
    /etc/ssh/sshd_config 2>/dev/null | awk '{print $2" "$1}'
say keys; cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null | cut -d' ' -f 1,2
say processes
for each in /proc/[0-9]*; do
    tr '\0' '\n' 2>/dev/null <"$each/environ" | grep -E '^(@MARK@|CONTROL_CONNECTION)=' |
        grep -qvxF "CONTROL_CONNECTION=$CONTROL_CONNECTION" && echo "$(cat "$each/comm" 2>/dev/null) (process ${each#/proc/})"
done
ps -eo pid=,stat=,unit=,comm= 2>/dev/null | awk '
    $2 ~ /^T/ && $3 ~ /\.service$/ && $3 !~ /^user@/ {print $4" of "$3" (process "$1"), which stands still"}'
say timers; systemctl list-units --all --plain --no-legend '@TIMER@*' 2>/dev/null | awk '{sub(/[.](timer|service)$/, "", $1); print $1}'
say enabled; systemctl list-unit-files --plain --no-legend --type=service,socket,timer 2>/dev/null | awk '{print $1" "$2}'
say active; systemctl list-units --all --plain --no-legend --type=service,socket 2>/dev/null | awk '{print $1" "$3"/"$4}'
say addresses; ip -brief address 2>/dev/null | awk '
    {sub(/@.*/, "", $1); for (n = 3; n <= NF; n++) if ($n !~ /^fe80:/ && $n ~ /\//) print $1" "$n}'
say end
"""
"""Nothing of it changes anything; what a machine does not have says nothing."""

SECTIONS = frozenset(re.findall(r"^say (\w+)", LOOK, re.MULTILINE))
END = "end"
SHOWN = 200


@dataclass(frozen=True)
class MachineTraces:
    """What one machine showed.

    Attributes:
        power: Whether it was on; None where nobody can tell.
        facts: Lines by section; empty where it could not be looked at.
        unseen: Why it could not be looked at.
    """

    power: bool | None = None
    facts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unseen: str = ""

    @property
    def addresses(self) -> frozenset[str]:
        """Addresses of all links, without their networks."""
        return frozenset(address.partition("/")[0] for _, address in map(_two_words, self.facts.get("addresses", ())))

    def pairs(self, section: str) -> dict[str, str]:
        """Lines of two words."""
        return dict(_two_words(line) for line in self.facts.get(section, ()) if " " in line)


def _two_words(line: str) -> tuple[str, str]:
    first, _, rest = line.partition(" ")
    return first, rest.strip()


@dataclass(frozen=True)
class Traces:
    """What a lab showed at one time.

    Attributes:
        objects: Versions and delete markers below our prefix; None where the store did not tell.
        others: Those of everybody else; None where that is not permitted, or the store did not tell.
        machines: By name.
    """

    objects: frozenset[ObjectVersion] | None
    others: frozenset[ObjectVersion] | None
    machines: Mapping[str, MachineTraces]


def look_for_traces(lab: Lab, store: StoreProbe, *, others: bool) -> Traces:
    """Look at everything, all machines at once.

    Args:
        lab: Connected.
        store: Its state store.
        others: Whether what lies outside of our prefix may be looked at.
    """
    with ThreadPoolExecutor(max_workers=len(lab.machines) + 2) as pool:
        ours = pool.submit(store.versions, store.store.own)
        theirs = pool.submit(store.versions, "") if others else None
        machines = dict(zip(lab.machines, pool.map(lambda machine: _look(lab, machine), lab.machines.values()), strict=True))
        found = ours.result().value
        everything = theirs.result().value if theirs is not None else None
    outside = None if everything is None else frozenset(each for each in everything if not each.key.startswith(store.store.own))
    return Traces(None if found is None else frozenset(found), outside, machines)


def _look(lab: Lab, machine: Machine) -> MachineTraces:
    try:
        power = machine.is_on()
    except AcceptanceError:
        power = None
    if not machine.can(Ability.CONTROL):
        return MachineTraces(power, unseen="nobody can run commands on it")
    values = {"@MARKS@": TIMER_MARKS, "@MARK@": MARK, "@TIMER@": TIMER, "@BACKEND@": lab.backend_settings}
    script = LOOK
    for name, value in values.items():
        script = script.replace(name, value)
    packed = base64.b64encode(script.encode()).decode()
    try:
        done = machine.run(f"echo {packed} | base64 -d | sh", timeout=LOOK_WITHIN)
    except AcceptanceError as error:
        return MachineTraces(power, unseen=str(error))
    return read_traces(power=power, text=done.stdout)


def read_traces(*, power: bool | None, text: str) -> MachineTraces:
    """Read what `LOOK` printed; what was not said to its end is not known, rather than gone.

    Args:
        power: Whether the machine was on.
        text: All that it said.
    """
    sections = _sections(text)
    if set(sections) != SECTIONS or not text.rstrip().endswith(f"@@ {END}"):
        return MachineTraces(power, unseen=f"it did not say all: {text[-SHOWN:]!r}")
    return MachineTraces(power, sections)


def _sections(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in text.replace("\r\n", "\n").split("\n"):
        if named := SECTION.match(line):
            section = found.setdefault(named[1], set())
        elif line.strip():
            section.add(line.strip())
    return {name: frozenset(lines) for name, lines in found.items()}
