"""Faults of who a machine is."""

from __future__ import annotations

from faults.control import answer, command
from faults.fault import Fault
from model.errors import FaultHadNoEffect
from model.lab import Ability

HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
ASIDE = "/root/host-identity-set-aside"
FINGERPRINT = "ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null | cut -d' ' -f3"

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
    _before = ""

    def inject(self) -> None:
        """Set key and certificate aside, and make another key."""
        self._before = answer(self.machine, FINGERPRINT)
        command(self.machine, TAKE_AWAY)

    def prove_effect(self) -> None:
        """Another key is offered."""
        now = self.machine.run(FINGERPRINT).stdout.strip()
        if not now or now == self._before:
            msg = f"{self.machine.name} still offers the host key {self._before or 'of nobody'}"
            raise FaultHadNoEffect(msg)

    def heal(self) -> None:
        """Put key and certificate back."""
        if self.machine.is_on():
            command(self.machine, GIVE_BACK)
