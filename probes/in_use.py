"""Who else works in a lab: locks of states that are not ours, sessions on machines in which something runs, `tofu` processes.

Ours are known by what they carry in their environment: jobs by `MARK` of `probes.job_steps`, commands over a control
channel that is SSH by `CONTROL_CONNECTION`. A connection in which nothing runs disturbs nobody and is disturbed by nothing.
"""

from __future__ import annotations

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from model.errors import AbilityMissing, ControlChannelLost, Unreadable
from model.lab import Ability, Lab, Machine
from probes.answers import Answer
from probes.job_steps import MARK
from probes.lock_error import LockInfo
from probes.store import LOCK_SUFFIX, StoreProbe

LOOK_WITHIN = timedelta(seconds=15)
KINDS = {"session": "a session", "tofu": "a tofu process"}
STRANGER = re.compile(r"(session|tofu)\t([0-9]+)\t([0-9]{1,9})\t([^\t\n]*)\t([^\t\n]*)")

PROCESSES = r"""
ours() { tr '\0' '\n' 2>/dev/null </proc/"$1"/environ | grep -qE '^(@MARK@|CONTROL_CONNECTION)='; }
all=$(ps -eo pid=,ppid=,etimes=,user:32=,comm=)
table=$(printf '%s\n' "$all" | awk '{print $1" "$2}')
below() { printf '%s\n' "$table" | awk -v top="$1" '
    { parent[$1] = $2 }
    END { for (each in parent) {
        at = each; while (at in parent && at != top && at > 1) at = parent[at]
        if (at == top && each != top) print each } }'; }
printf '%s\n' "$all" | while read -r pid ppid age user comm; do
    case "$comm" in sshd|sshd-session) ;; tofu) ours "$pid" || printf 'tofu\t%s\t%s\t%s\t%s\n' "$pid" "$age" "$user" \
        "$(readlink /proc/"$pid"/cwd)"; continue ;; *) continue ;; esac
    title=$(tr '\0' ' ' 2>/dev/null </proc/"$pid"/cmdline)
    case "$title" in *'[priv]'*|*'[net]'*|*'[listener]'*|*'[accepted]'*|/*) continue ;; *': '*) ;; *) continue ;; esac
    inside=$(below "$pid"); [ -n "$inside" ] || continue
    mine=; doing=
    for each in $inside; do
        if ours "$each"; then mine=1; break; fi
        doing="$doing $(tr '\0\t\n' '   ' 2>/dev/null </proc/"$each"/cmdline)"
    done
    [ -z "$mine" ] || continue
    from=$(for each in $inside; do tr '\0' '\n' 2>/dev/null </proc/"$each"/environ; done |
        sed -n 's/^SSH_CONNECTION=\([^ ]*\) .*/\1/p' | head -n 1)
    who=${title#*: }; who=${who%%@*}
    printf 'session\t%s\t%s\t%s\t%s\n' "$pid" "$age" "${who%% *}${from:+ from $from}" "$(printf %s "$doing" | cut -c 1-120)"
done
""".replace("@MARK@", MARK)
"""Lists strangers: kind, process, age in seconds, whose, what. Runs as root; needs procps and coreutils, as faults do."""


@dataclass(frozen=True)
class Use:
    """Something that somebody else does in the lab.

    Attributes:
        what: A lock, a session or a process.
        who: Whose.
        where: Which state or machine.
        since: When it began, as far as that is known.
        doing: What runs there.
    """

    what: str
    who: str
    where: str
    since: str
    doing: str = ""

    def __str__(self) -> str:
        """One clause."""
        doing = f" ({self.doing})" if self.doing else ""
        return f"{self.what} of {self.who or 'somebody'} {self.where}, since {self.since}{doing}"


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        uses: Of others.
        unseen: What could not be looked at, and why.
    """

    uses: tuple[Use, ...] = ()
    unseen: tuple[str, ...] = ()

    def __str__(self) -> str:
        """All of them."""
        return "; ".join(map(str, self.uses)) or "nobody else works in the lab"


def uses_of(lab: Lab, store: StoreProbe, *, locks: bool) -> Look:
    """Look for everybody else.

    Args:
        lab: Connected.
        store: Its state store.
        locks: Whether other states' locks may be looked at.
    """
    machines = [machine for machine in lab.machines.values() if machine.can(Ability.CONTROL)]
    with ThreadPoolExecutor(max_workers=len(machines) + 1) as pool:
        locked = pool.submit(foreign_locks, store) if locks else None
        seen = list(pool.map(_on, machines))
    uses = [use for found in seen for use in found.uses]
    unseen = [each for found in seen for each in found.unseen]
    if locked is not None:
        answer = locked.result()
        uses += answer.value or ()
        unseen += [f"locks in bucket {store.bucket}: {answer.error.code}"] if answer.error is not None else []
    return Look(tuple(uses), tuple(unseen))


def foreign_locks(store: StoreProbe) -> Answer[tuple[Use, ...]]:
    """Locks of states that do not lie below our prefix."""
    listed = store.objects("")
    if listed.value is None:
        return Answer(error=listed.error)
    names = [each.key for each in listed.value if each.key.endswith(LOCK_SUFFIX) and not each.key.startswith(store.store.own)]
    return Answer(tuple(use for name in names if (use := _lock(store, name)) is not None))


def _lock(store: StoreProbe, name: str) -> Use | None:
    content = store.get(name)
    if content.missing:
        return None  # given back meanwhile
    where = f"on state {name.removesuffix(LOCK_SUFFIX)}"
    try:
        info = LockInfo.from_json(content.value or b"")
    except Unreadable:
        return Use("a lock that cannot be read", "", where, "an unknown time")
    return Use("the lock", info.who, where, info.created, info.operation)


def _on(machine: Machine) -> Look:
    """Strangers on one machine; one that is off, or does not answer, is used by nobody that we could disturb more."""
    packed = base64.b64encode(PROCESSES.encode()).decode()
    try:
        done = machine.run(f"echo {packed} | base64 -d | sh", timeout=LOOK_WITHIN)
    except (ControlChannelLost, AbilityMissing) as error:
        return Look(unseen=(f"sessions on {machine.name}: {error}",))
    if not done.ok:
        return Look(unseen=(f"sessions on {machine.name}: {done.text}",))
    try:
        return Look(read_strangers(machine.name, done.stdout))
    except Unreadable as error:
        return Look(unseen=(f"sessions on {machine.name}: {error}",))


def read_strangers(name: str, text: str) -> tuple[Use, ...]:
    """Read what `PROCESSES` printed on a machine.

    Raises:
        Unreadable: A line is something else, or was cut.
    """
    uses = []
    *lines, rest = text.replace("\r\n", "\n").split("\n")
    for line in [*lines, *([rest] if rest else [])]:
        found = STRANGER.fullmatch(line)
        if found is None or line is rest:
            raise Unreadable(f"what {name} said about processes cannot be read: {line!r}")
        kind, pid, age, who, doing = found.groups()
        since = f"{datetime.now(UTC) - timedelta(seconds=int(age)):%Y-%m-%d %H:%M:%S} UTC"
        uses.append(Use(KINDS[kind], who, f"on {name} (process {pid})", since, " ".join(doing.split())))
    return tuple(uses)
