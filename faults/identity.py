"""Faults of who a machine is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from faults.control import command
from faults.fault import EFFECT_WITHIN, Fault
from model.errors import FaultHadNoEffect
from model.lab import Ability
from model.remedy import Remedy
from model.waiting import wait_until
from probes.clients.fleet import greet
from probes.ssh import Login

HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
ASIDE = "/root/host-identity-set-aside"
KEY_WITHIN = timedelta(seconds=3)

TAKE_AWAY = f"""
set -e
mkdir -p -m 700 {ASIDE}
test -e {ASIDE}/done || cp -a {HOST_KEY} {HOST_KEY}.pub {HOST_KEY}-cert.pub {ASIDE}/
touch {ASIDE}/done
rm -f {HOST_KEY} {HOST_KEY}.pub {HOST_KEY}-cert.pub
ssh-keygen -q -t ed25519 -N '' -C stranger -f {HOST_KEY}
systemctl restart ssh.service
"""

GIVE_BACK = f"""
test -e {ASIDE}/done || exit 0
set -e
cp -a {ASIDE}/ssh_host_* /etc/ssh/
systemctl restart ssh.service
rm -rf {ASIDE}
"""


class StrangersKey(Fault):
    """A machine has a host key that the lab's CA never signed, as a stranger's machine at its address would have."""

    ability = Ability.CONTROL
    title = "stranger's host key"
    cuts_the_way_back = True
    _before = ""

    def look_before(self) -> None:
        """Remember who answers."""
        self._before = self.offered_key()

    def offered_key(self) -> str:
        """The host key that a stranger is offered who connects; empty when none is."""
        return greet(Login(self.machine.ssh, "", Path(), frozenset()), KEY_WITHIN).host_key

    def inject(self) -> None:
        """Set key and certificate aside, and make another key."""
        command(self.machine, TAKE_AWAY)

    def prove_effect(self) -> None:
        """Another key is offered."""
        wait_until(
            self.offered_key,
            lambda key: key not in {"", self._before},
            what=f"{self.machine.name} offers another host key than {self._before or 'none'}",
            within=EFFECT_WITHIN,
            error=FaultHadNoEffect,
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Put key and certificate back."""
        return (Remedy(self.machine.name, GIVE_BACK),)
