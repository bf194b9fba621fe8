"""One of each kind of fault, for a lab of the topology `production`."""

from __future__ import annotations

from collections.abc import Callable

from faults.answers import AnswerLost
from faults.fault import Fault
from faults.identity import StrangersKey
from faults.network import NetworkCut, PortBlocked
from faults.packets import PacketLoss, Partition
from faults.power import PlugPulled, Reboot, ShutDown
from faults.rebuild import Rebuilt
from faults.service import (
    KeepalivedStopped,
    ProcessKilled,
    ServiceFrozen,
    ServiceRestarted,
    ServiceStopped,
    SshFrozen,
    SshStopped,
)
from model.lab import Lab
from probes.condition import owners

Strike = Callable[[Fault], Fault]
"""What the fixture `broken` gives: inject a fault, which is healed in the end."""

MINIO, HAPROXY = "minio.service", "haproxy.service"
S3 = 9000
STATE = "acceptance/contract/faults/terraform.tfstate"


def owner(lab: Lab) -> str:
    """The balancer that has the runner endpoint."""
    (name,) = owners(lab, lab.fleet.endpoint.host)
    return name


ONE_OF_EACH: dict[str, Callable[[Lab], Fault]] = {
    "plug pulled": lambda lab: PlugPulled(lab.machines["runner01"]),
    "shut down": lambda lab: ShutDown(lab.machines["runner02"]),
    "rebooted": lambda lab: Reboot(lab.machines["runner03"]),
    "made anew": lambda lab: Rebuilt(lab.machines["runner03"]),
    "SSH stopped": lambda lab: SshStopped(lab.machines["runner01"]),
    "SSH frozen": lambda lab: SshFrozen(lab.machines["runner02"]),
    "stranger's host key": lambda lab: StrangersKey(lab.machines["runner03"]),
    "stopped": lambda lab: ServiceStopped(lab.machines["storage01"], MINIO),
    "frozen": lambda lab: ServiceFrozen(lab.machines[owner(lab)], HAPROXY),
    "restarted": lambda lab: ServiceRestarted(lab.machines["storage02"], MINIO),
    "killed": lambda lab: ProcessKilled(lab.machines["storage03"], MINIO),
    "keepalived stopped": lambda lab: KeepalivedStopped(lab.machines[owner(lab)]),
    "network cut": lambda lab: NetworkCut(lab.machines["runner01"]),
    "port blocked": lambda lab: PortBlocked(lab.machines["storage04"], S3),
    "cut off from one machine": lambda lab: Partition(lab.machines["storage01"], lab.machines["storage02"], S3),
    "packets lost": lambda lab: PacketLoss(lab.machines["runner02"], 50),
    "answer lost": lambda lab: AnswerLost.of_lock(lab, STATE),
}
