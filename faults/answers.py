"""An answer that is lost on its way back: the store has done what was asked, and whoever asked never hears of it."""

from __future__ import annotations

import shlex
from datetime import timedelta

from faults.control import command
from faults.fault import EFFECT_WITHIN, GONE_WITHIN, Fault
from model.errors import AbilityMissing, FaultHadNoEffect
from model.lab import Ability, Lab, Machine
from model.remedy import Remedy
from model.waiting import wait_until
from probes.outcomes import Reached
from probes.store import LOCK_SUFFIX, StoreProbe

CONFIGURATION = "/etc/haproxy/haproxy.cfg"
ASIDE = "/root/haproxy-set-aside"
HAPROXY = "haproxy.service"
BEGIN, END = "    # faults: an answer is lost on its way back", "    # faults: until here"
DECOY_SUFFIX = ".decoy"
NO_ANSWER = frozenset({Reached.SILENT.value, Reached.RESET.value})
DECOY_WITHIN = timedelta(seconds=2)
WORKERS = "ps -eo pid=,args= | awk '/[h]aproxy .*-Ws/ && !/ -c / {print $1}' | sort | tr '\\n' ' '"

LOSE = """
set -e
mkdir -p -m 700 {aside}
test -e {aside}/done || cp -p {configuration} {aside}/haproxy.cfg
touch {aside}/done
cat > {configuration}
haproxy -c -q -f {configuration}
systemctl reload {unit}
"""

GIVE_BACK = """
test -e {aside}/done || exit 0
set -e
cp -p {aside}/haproxy.cfg {configuration}
if systemctl is-active -q {unit}; then systemctl reload {unit}; fi
rm -rf {aside}
"""


class AnswerLost(Fault):
    """The balancers drop the store's answer to every PUT of one object that it granted; a refusal arrives.

    Whoever asks hears nothing more: the connection is dead. A peer on the same network may get a reset, as HAProxy without
    CAP_NET_ADMIN cannot hold it back there (configuration manual, `silent-drop`). For a state's lock this is how an apply
    meets its own lock: it asks again, and is refused (opentofu#4405).
    """

    ability = Ability.CONTROL
    title = "answer lost"

    def __init__(self, lab: Lab, key: str) -> None:
        """Choose the request.

        Args:
            lab: All balancers take part, as any of them may have the address.
            key: The object; for the lock of a state see `of_lock`.

        Raises:
            AbilityMissing: The store is not reached through balancers that can be told to do so.
        """
        if not lab.balancers:
            msg = "the lab has no balancer that could lose an answer"
            raise AbilityMissing(msg)
        super().__init__(lab.balancers[0])
        for balancer in lab.balancers:
            balancer.require(self.ability)
        self.lab, self.key = lab, key
        self._bind = f"bind {lab.store.endpoint}"
        if not all(self._bind in text for text in map(self._read, lab.balancers)):
            msg = f"no balancer stands before the state store at {lab.store.endpoint}, so that none could lose its answer"
            raise AbilityMissing(msg)

    @classmethod
    def of_lock(cls, lab: Lab, state_key: str) -> AnswerLost:
        """The answer to who asks for the lock of a state."""
        return cls(lab, state_key + LOCK_SUFFIX)

    def __repr__(self) -> str:
        """Which answer."""
        return f"<{type(self).__name__} PUT {self.key}>"

    def __str__(self) -> str:
        """The same in a reader's words."""
        return f"the answer to every granted PUT of {self.key} is lost"

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All balancers."""
        return tuple(self.lab.balancers)

    @property
    def decoy(self) -> str:
        """An object of ours whose answers are lost in the same way."""
        return self.key + DECOY_SUFFIX

    @staticmethod
    def _read(balancer: Machine) -> str:
        return command(balancer, f"cat {CONFIGURATION}").stdout

    def _changed(self, text: str) -> str:
        """A configuration with the rules for the object and its decoy, in a marked block."""
        lines = []
        for line in text.splitlines():
            lines.append(line)
            if line.strip() == self._bind or line.strip().startswith(f"{self._bind} "):
                lines += [
                    BEGIN,
                    f"    http-request set-var(txn.lost) bool(true) if {{ method PUT }} {{ path_end /{self.key} /{self.decoy} }}",
                    "    http-response silent-drop if { var(txn.lost) -m bool } { status 200:299 }",
                    END,
                ]
        return "\n".join(lines) + "\n"

    def inject(self) -> None:
        """Change each balancer's configuration, have it checked, and reload."""
        for balancer in self.lab.balancers:
            before = command(balancer, WORKERS).stdout
            text = self._changed(self._read(balancer))
            command(balancer, LOSE.format(aside=ASIDE, configuration=CONFIGURATION, unit=HAPROXY), stdin=text)
            self._await_new_worker(balancer, before)

    @staticmethod
    def _await_new_worker(balancer: Machine, before: str) -> None:
        """A reload has happened when there is another worker; the old one serves what it has."""
        wait_until(
            lambda: command(balancer, WORKERS).stdout,
            lambda now: bool(set(now.split()) - set(before.split())),
            what=f"HAProxy on {balancer.name} has a worker with the changed configuration",
            within=GONE_WITHIN,
            error=FaultHadNoEffect,
        )

    def prove_effect(self) -> None:
        """A PUT of the decoy is not answered, and yet the decoy is there."""
        store = StoreProbe(self.lab.store, within=DECOY_WITHIN)
        try:
            wait_until(
                lambda: store.put(self.decoy, b"decoy"),
                lambda put: put.error is not None and put.error.code in NO_ANSWER,
                what=f"a PUT of {self.decoy} at {self.lab.store.endpoint} is not answered",
                within=EFFECT_WITHIN,
                error=FaultHadNoEffect,
            )
            there = store.get(self.decoy)
            store.remove_all(self.decoy)
        finally:
            store.close()
        if not there.ok:
            msg = f"a PUT of {self.decoy} was not answered, but it had no effect either: {there.error}"
            raise FaultHadNoEffect(msg)

    def remedies(self) -> tuple[Remedy, ...]:
        """Put each balancer's configuration back, its date included, and reload."""
        script = GIVE_BACK.format(aside=shlex.quote(ASIDE), configuration=CONFIGURATION, unit=HAPROXY)
        return tuple(Remedy(balancer.name, script) for balancer in self.lab.balancers)

    def prove_recovery(self) -> None:
        """No balancer has the rules any more, and a PUT of the decoy is answered again.

        Raises:
            DeadlineMissed: Not within 30 s.
        """
        store = StoreProbe(self.lab.store, within=DECOY_WITHIN)
        try:
            wait_until(
                lambda: store.put(self.decoy, b"decoy"),
                lambda seen: seen.ok,
                what=f"a PUT of {self.decoy} at {self.lab.store.endpoint} is answered again",
                within=GONE_WITHIN,
            )
            store.remove_all(self.decoy)
        finally:
            store.close()
        wait_until(
            lambda: [balancer.name for balancer in self.lab.balancers if BEGIN in self._read(balancer)],
            lambda names: not names,
            what="no balancer has rules of ours in its configuration",
            within=GONE_WITHIN,
        )
