"""Who has the port after a reboot: MinIO and HAProxy of one host both want it, and systemd starts them in no order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import timedelta

from benchmarks.as_written.record import Holding
from benchmarks.trials import new_name
from model.errors import AcceptanceError
from model.lab import Lab, Machine
from model.topology import Address, Role, topology
from model.waiting import wait_until
from provisioning import drivers
from provisioning.roles.guide import SERVICES, in_order

LOOKS, BETWEEN, WITHIN = 8, timedelta(seconds=1), timedelta(seconds=60)
"""The same must be seen for 8 s: a service that failed five times in 10 s is given up by systemd, and one that waits for that is done."""

NOBODY, UNDECIDED = "nobody", "activating"
LISTENER = re.compile(r'users:\(\("([^"]+)"')
ASK = "curl -s -m 2 -o /dev/null -w '%{{http_code}}' http://{address}/minio/health/live; echo; timeout 2 head -c 4 < /dev/tcp/{host}/{port}"
"""MinIO says 200 on its health page; HAProxy hands a client to a runner, whose sshd greets first."""


def listeners(sockets: str) -> tuple[str, ...]:
    """Programs that listen, by what `ss -Hltnp` says."""
    return tuple(sorted(set(LISTENER.findall(sockets))))


def answerer(said: str) -> str:
    """Who answers, by what both of its possible clients were told."""
    status, _, greeting = said.partition("\n")
    if status == "200":
        return "minio"
    return "haproxy" if greeting.startswith("SSH-") else NOBODY


def _look(host: Machine, client: Machine, place: Address) -> Holding:
    state = {role: host.run(f"systemctl is-active {unit}").stdout.strip() for role, unit in SERVICES.items()}
    sockets = host.run(f"ss -Hltnp 'sport = :{place.port}'")
    if not sockets.ok:
        raise AcceptanceError(f"nobody can tell who listens on {host.name}: {sockets.text}")
    asked = client.run(f"bash -c {shlex.quote(ASK.format(address=place, host=place.host, port=place.port))}").stdout
    return Holding(answers=answerer(asked), listens=listeners(sockets.stdout), minio=state[Role.STORAGE], haproxy=state[Role.BALANCER])


def _settled(lab: Lab) -> Holding:
    """What is seen when nothing changes any more."""
    seen: list[Holding] = []

    def look() -> bool:
        seen.append(_look(lab.storage[0], lab.runners[0], lab.topology.runner_endpoint))
        return len(seen) >= LOOKS and len(set(seen[-LOOKS:])) == 1 and UNDECIDED not in {seen[-1].minio, seen[-1].haproxy}

    wait_until(look, bool, what="it is settled who has the port", within=WITHIN, every=BETWEEN, error=AcceptanceError)
    return seen[-1]


def race(times: int, tell: Callable[[str], object]) -> dict[str, Holding | tuple[Holding, ...]]:
    """Build the guide's one host in both orders, and reboot it again and again.

    Args:
        times: How often.
        tell: Is told the outcome of each.

    Returns:
        What was seen, by field of `Findings`.
    """
    driver, plan = drivers.embedded({}), topology("as-written")
    lab = driver.provision(plan, new_name())
    reboots: list[Holding] = []
    try:
        built = _settled(lab)
        tell(f"as built: {built}")
        for _ in range(times):
            lab.storage[0].reboot()
            reboots.append(_settled(lab))
            tell(f"reboot {len(reboots)}: {reboots[-1]}")
        lab.storage[0].run(in_order(topology("as-written-haproxy-first")))
        return {"built": built, "turned": _settled(lab), "reboots": tuple(reboots)}
    finally:
        driver.remove(lab)
