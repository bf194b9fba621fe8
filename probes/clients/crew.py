"""All continuous clients of one scenario: who starts one need not think of its end."""

from __future__ import annotations

from typing import TypeVar

from model.aftermath import Aftermath
from model.history import History
from probes.apply_loop import ApplyLoop
from probes.clients.paced import Client
from probes.state_histories import StateHistories

AnyClient = TypeVar("AnyClient", bound=Client)


class Clients:
    """Starts clients, and sees that each is stopped and that its history can be trusted."""

    def __init__(self, aftermath: Aftermath, states: StateHistories) -> None:
        """Prepare.

        Args:
            aftermath: Where stopping and checking are owed.
            states: Where the states of an apply loop are watched.
        """
        self._aftermath, self._states = aftermath, states
        self._started: list[Client] = []

    @property
    def histories(self) -> list[History]:
        """Of all clients that were started, in order."""
        return [client.history for client in self._started]

    def start(self, client: AnyClient) -> AnyClient:
        """Start a client from the calling thread; it is stopped when the scenario is healed.

        Raises:
            AcceptanceError: It cannot start.
        """
        self._started.append(client)
        self._aftermath.heal(client.stop)
        self._aftermath.invariant(client.check)
        if isinstance(client, ApplyLoop):
            for key in client.keys:
                self._states.watch(key, client.history)
        return client.start()
