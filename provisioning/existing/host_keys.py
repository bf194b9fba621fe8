"""Host keys of runners, for clients that know no host CA: what the lab file records, else what the machine itself says."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from model.errors import AcceptanceError
from model.lab import SSH_PORT, Machine
from model.topology import Address

READ = "cat /etc/ssh/ssh_host_ed25519_key.pub || cat /etc/ssh/ssh_host_ecdsa_key.pub || cat /etc/ssh/ssh_host_rsa_key.pub"
WITHIN = timedelta(seconds=10)
ASKED_AGAIN_AFTER = timedelta(seconds=30)
"""A machine that did not tell its key: who asks for all keys, as every client of the fleet does, must not wait for it each time."""
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
FIELDS = 3
"""Of a line of `known_hosts`: names, kind, key (sshd(8)); one with a marker has another before them."""


def known_as(place: Address) -> str:
    """How `known_hosts` names a place (sshd(8)): with its port only where that is another one than usual."""
    return place.host if place.port == SSH_PORT else f"[{place.host}]:{place.port}"


class PublishedHostKeys(Mapping[str, str]):
    """The public host key of each runner that has one that is known, asked for once; `forget` after one was made anew."""

    def __init__(self, runners: Mapping[str, Machine], recorded: Mapping[str, Path | None]) -> None:
        """List the runners.

        Args:
            runners: By name.
            recorded: The `known_hosts` file of each, should it have one.
        """
        self._runners, self._recorded = runners, recorded
        self._known: dict[str, str] = {}
        self._unknown: dict[str, float] = {}

    def __getitem__(self, name: str) -> str:
        """One runner's key.

        Raises:
            KeyError: Neither a file nor the machine tells it, as one that is silent.
        """
        if name not in self._known:
            if time.monotonic() < self._unknown.get(name, 0):
                raise KeyError(name)
            if not (key := self._asked(name) or self._read(name)):
                self._unknown[name] = time.monotonic() + ASKED_AGAIN_AFTER.total_seconds()
                raise KeyError(name)
            self._known[name] = key
        return self._known[name]

    def _asked(self, name: str) -> str:
        """Over the control channel, where the machine has proven who it is; a CA vouches for keys that no file lists."""
        try:
            return self._runners[name].run(READ, timeout=WITHIN).stdout.strip()
        except AcceptanceError:
            return ""

    def _read(self, name: str) -> str:
        machine, file = self._runners[name], self._recorded.get(name)
        if file is None or not file.is_file():
            return ""
        listed = subprocess.run(
            ["ssh-keygen", "-F", known_as(machine.ssh), "-f", str(file)], capture_output=True, text=True, check=False
        ).stdout
        fields = [line.split() for line in listed.splitlines() if not line.startswith(("#", "@"))]
        found = {each[1]: each[2] for each in fields if len(each) >= FIELDS}
        for kind in KINDS:
            if kind in found:
                return f"{kind} {found[kind]}"
        return ""

    def forget(self, name: str) -> None:
        """Ask again."""
        self._known.pop(name, None)
        self._unknown.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Names of the runners of which the key is known."""
        return (name for name in self._runners if self.get(name))

    def __len__(self) -> int:
        """How many they are."""
        return sum(1 for _ in self)
