"""A limit of the host that many machines with systemd run into: inotify instances.

Every systemd watches with seven to eight of them (measured: nine machines use 60 to 80). The kernel's default is 128 for all of
root's processes together, containers included. Beyond it a machine hangs half-way through its boot, or ends with
"Failed to create control group inotify object: Too many open files".
"""

from __future__ import annotations

import logging
from pathlib import Path

from model.errors import HostUnfit

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
PER_MACHINE = 10
ENOUGH = 8192
log = logging.getLogger(__name__)


def make_room(machines: int, limit: Path = INSTANCES) -> None:
    """Raise the limit until the host's next boot; it is never lowered.

    Args:
        machines: How many will run.
        limit: Where the kernel keeps it.

    Raises:
        HostUnfit: It may not be raised, and is too low even for these machines alone.
    """
    now = int(limit.read_text())
    if now >= ENOUGH:
        return
    try:
        limit.write_text(str(ENOUGH))
    except OSError as error:
        if now < machines * PER_MACHINE:
            msg = (
                f"{machines} machines need {machines * PER_MACHINE} inotify instances, this host allows {now} and does not let us raise it "
                f"({error.strerror}): run `sysctl fs.inotify.max_user_instances={ENOUGH}` on the host"
            )
            raise HostUnfit(msg) from error
        log.warning("this host allows only %d inotify instances: enough for this lab, not for many beside it", now)
    else:
        log.info("raised fs.inotify.max_user_instances from %d to %d", now, ENOUGH)
