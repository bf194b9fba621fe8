"""What systemd will do with a service when its machine boots."""

from __future__ import annotations

import shlex

from model.lab import Machine


def starts_at_boot(machine: Machine, unit: str) -> bool:
    """Whether a unit is enabled and something pulls it in at boot: a target, or a socket.

    systemd calls a unit enabled as soon as one of its links is there, be it an alias that starts nothing (`sshd.service` of
    Debian's `ssh.service`).

    Raises:
        ControlChannelLost: The machine cannot be asked.
    """
    name = shlex.quote(unit)
    pulled = f"systemctl show --property=WantedBy --property=RequiredBy --property=TriggeredBy --value {name} | grep -q ."
    return machine.run(f"systemctl is-enabled --quiet {name} && {pulled}").ok
