"""The states that a scenario works on: what was applied to them, and what is left of it in the store and on runners."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from model.errors import AcceptanceError, PromiseBroken
from model.history import History, Operation, Operations
from model.lab import Ability, Lab
from probes.answers import UNREADABLE
from probes.apply_outcome import ERRORED_STATE, apply_operation
from probes.invariant import Judgement, check_history
from probes.snapshots import ObjectVersion, StateVersion
from probes.store import StoreProbe
from probes.tofu import JobOutcome

VERSIONED = "Enabled"


@dataclass
class _Watched:
    """One state."""

    key: str
    histories: list[History] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)

    @property
    def applies(self) -> Operations:
        """All recorded applies of this state."""
        seen = (each for history in self.histories for each in history.operations if each.name == "apply")
        return Operations(each for each in seen if each.labels.get("key") == self.key)


class StateHistories:
    """Keeps what was applied to each state of a scenario, and judges it in the end.

    Attributes:
        history: Applies that steps made one by one.
        judgements: What was found of each state, once judged.
    """

    def __init__(self, lab: Lab, store: StoreProbe) -> None:
        """Watch nothing yet."""
        self._lab, self._store = lab, store
        self._watched: dict[str, _Watched] = {}
        self.history = History("applies one by one")
        self.judgements: list[Judgement] = []

    def watch(self, key: str, *histories: History) -> None:
        """Have a state judged in the end.

        Args:
            key: Of the state.
            histories: Operations `apply` with the labels `key` and `token`. All applies of a state must be recorded once
                one is: a value that nobody wrote is a broken promise. Without any, lineage and serials are judged.
        """
        entry = self._watched.setdefault(key, _Watched(key))
        entry.histories += [each for each in histories if each not in entry.histories]

    def applied(self, key: str, token: str, run: Callable[[], JobOutcome]) -> JobOutcome:
        """Run a job with one step `apply` and record it; the state is watched from then on.

        Args:
            key: Of the state.
            token: The value that it applies; no other apply may use it.
            run: Runs the job.
        """
        begun = self.history.begin("apply", key=key, token=token)
        self.watch(key, self.history)
        outcome = run()
        done = apply_operation(outcome, key=key, token=token, started=begun.operation.started, ended=time.monotonic())
        begun.end(done.outcome, who=done.who, detail=done.detail, ended=done.ended, labels=done.labels)
        return outcome

    def wrote_by_hand(self, key: str, version_id: str) -> None:
        """Exempt a version (or delete marker) that the scenario itself wrote."""
        self._watched.setdefault(key, _Watched(key)).by_hand.add(version_id)

    def check(self) -> list[Judgement]:
        """Judge every state that is watched.

        Raises:
            PromiseBroken: A history does not hold, a lock or an `errored.tfstate` is left.
            AcceptanceError: A history cannot be read.
        """
        self.judgements = []
        broken: list[str] = []
        unreadable: list[AcceptanceError] = []
        for entry in self._watched.values():
            for look in (self._judge, self._expect_no_lock, self._expect_no_errored_state):
                try:
                    found = look(entry)
                except PromiseBroken as error:
                    broken.append(str(error))
                except AcceptanceError as error:
                    unreadable.append(error)
                else:
                    self._note(entry.key, found)
        if broken:
            raise PromiseBroken("\n".join(broken))
        if unreadable:
            raise unreadable[0]
        return self.judgements

    def _note(self, key: str, found: Judgement | str) -> None:
        if isinstance(found, Judgement):
            self.judgements.append(found)
        elif found:
            known = next((each for each in self.judgements if each.key == key), None)
            if known is None:
                self.judgements.append(Judgement(key, remarks=(found,)))
            else:
                self.judgements[self.judgements.index(known)] = replace(known, remarks=(*known.remarks, found))

    def _judge(self, entry: _Watched) -> Judgement:
        versioning = self._store.versioning()
        if versioning.error is not None:
            msg = f"the history of {entry.key} cannot be read: whether the bucket keeps versions: {versioning.error}"
            raise AcceptanceError(msg)
        if versioning.value == VERSIONED:
            found = self._store.state_history(entry.key)
            if found.value is None:
                msg = f"the history of {entry.key} cannot be read: {found.error}"
                raise AcceptanceError(msg)
            return check_history(entry.key, found.value, entry.applies, by_hand=entry.by_hand)
        return check_history(entry.key, self._current(entry.key), entry.applies, by_hand=entry.by_hand, versioned=False)

    def _current(self, key: str) -> tuple[StateVersion, ...]:
        current = self._store.state(key)
        if current.missing:
            return ()
        if current.error is not None and current.error.code != UNREADABLE:
            msg = f"the state {key} cannot be read: {current.error}"
            raise AcceptanceError(msg)
        return (StateVersion(ObjectVersion(key, current.value.version_id if current.value else ""), current.value),)

    def _expect_no_lock(self, entry: _Watched) -> str:
        found = self._store.lock_object(entry.key)
        if found.error is not None and found.error.code != UNREADABLE:
            msg = f"whether a lock of {entry.key} is left cannot be read: {found.error}"
            raise AcceptanceError(msg)
        if found.error is None and found.value is None:
            return ""
        lock = found.value or found.error
        if entry.applies.unknown:
            return f"a lock is left, which an apply of unknown outcome may hold: {lock}"
        msg = f"expected no lock of {entry.key} to be left, as every apply has ended; observed {lock}"
        raise PromiseBroken(msg)

    def _expect_no_errored_state(self, entry: _Watched) -> str:
        told = entry.applies.labelled(errored_state="yes")
        if told:
            raise PromiseBroken(_errored(entry.key, told[0].who or "a runner", told[0]))
        blind = []
        for runner in self._lab.runners:
            if not runner.can(Ability.CONTROL):
                blind.append(runner.name)
                continue
            found = runner.run(_LOOK.format(key=shlex.quote(entry.key))).stdout.split()
            if found:
                raise PromiseBroken(_errored(entry.key, runner.name, found[0]))
        return f"not looked for {ERRORED_STATE} on {', '.join(blind)}: no control channel" if blind else ""


_LOOK = (
    f"for found in /tmp/pipeline-*/work/{ERRORED_STATE}; do "
    '[ -e "$found" ] && grep -qsF {key} "${{found%/*}}/.terraform/terraform.tfstate" && echo "$found"; done; true'
)
"""In job folders of this very state alone: others may work on the same runners."""


def _errored(key: str, where: str, what: Operation | str) -> str:
    return f"expected no apply of {key} to end with a state it could not store ({ERRORED_STATE}); observed one on {where}: {what}"
