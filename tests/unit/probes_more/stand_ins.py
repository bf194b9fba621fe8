"""A store and machines that are only what a test says."""

from __future__ import annotations

from datetime import timedelta

from model.lab import COMMAND_DEADLINE, Ability, CommandResult, Store
from model.topology import Address, MachineSpec, Role
from probes.answers import Answer, StoreError
from probes.snapshots import ObjectVersion
from probes.store import StoreProbe
from tests.unit.stand_in import StandIn

LOCK = (
    b'{"ID": "1", "Operation": "OperationTypeApply", "Who": "alice@workstation", "Created": "2026-11-23T17:45:42Z", "Info": "", "Path": ""}'
)
STORE = Store(Address("10.1.0.101", 9000), "tofu-state", "user", "no secret")


class Shelf(StoreProbe):
    """A store that is a dictionary."""

    def __init__(self, content: dict[str, bytes], error: StoreError | None = None) -> None:
        """Fill it; with an error nothing can be listed."""
        super().__init__(STORE)
        self.content, self.error = content, error

    def objects(self, prefix: str) -> Answer[tuple[ObjectVersion, ...]]:
        if self.error is not None:
            return Answer(error=self.error)
        return Answer(tuple(ObjectVersion(key) for key in self.content if key.startswith(prefix)))

    def get(self, key: str, version_id: str | None = None) -> Answer[bytes]:
        found = self.content[key]
        return Answer(found) if found else Answer(error=StoreError("NoSuchKey", 404, "gone"))


class Said(StandIn):
    """A machine that says what a test wants, and keeps what it was asked."""

    def __init__(self, name: str, result: CommandResult | Exception, abilities: frozenset[Ability] = StandIn.abilities) -> None:
        """Tell it what to say."""
        super().__init__(MachineSpec(name, "10.1.0.103", Role.RUNNER))
        self.result, self.abilities, self.asked = result, abilities, list[str]()

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        del timeout, stdin
        self.asked.append(command)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result
