"""The guide to the letter: its own listings on its machines, and the order in which it builds them."""

from __future__ import annotations

from model.topology import MachineSpec, Role, Topology
from provisioning.identities import HostIdentity
from provisioning.roles import Applied, File
from provisioning.roles.reference import HAPROXY, MINIO_DATA, MINIO_UNIT, SSHD, Credentials, LabFacts, from_template

USER = "root"
"""`ssh root@10.1.0.102 -p 9000`: the guide knows no other account."""

CREDENTIALS = Credentials("minioadmin", "minioadmin123", "minioadmin", "minioadmin123")
"""One pair of keys, for its administrator and for runners."""

SERVICES = {Role.STORAGE: MINIO_UNIT, Role.BALANCER: HAPROXY}
LISTENS_WITHIN_SECONDS = 20


def _base(machine: MachineSpec, facts: LabFacts, identity: HostIdentity) -> Applied:
    """What a VM has that was just made: a name, a host key of its own, and somebody's key to log in with."""
    key = "/etc/ssh/ssh_host_ed25519_key"
    files = (
        File("/etc/hostname", f"{machine.name}\n"),
        from_template("/etc/hosts", "hosts.j2", facts),
        File(key, identity.private_key, 0o600, unit=SSHD),
        File(f"{key}.pub", identity.public_key + "\n"),
        File("/root/.ssh/authorized_keys", facts.authorized_key + "\n", 0o600),
    )
    return Applied(packages=("openssh-server",), enabled=(SSHD,)).with_files(*files)


def _storage(facts: LabFacts) -> Applied:
    unit = from_template(f"/etc/systemd/system/{MINIO_UNIT}", "guide/minio.service.j2", facts, unit=MINIO_UNIT)
    return Applied(programs=("minio",), enabled=(MINIO_UNIT,)).with_files(unit, File(f"{MINIO_DATA}/.keep", ""))


def _balancer(facts: LabFacts) -> Applied:
    configuration = from_template("/etc/haproxy/haproxy.cfg", "guide/haproxy.cfg.j2", facts, unit=HAPROXY)
    return Applied(packages=("haproxy",), enabled=(HAPROXY,)).with_files(configuration)


def _runner(facts: LabFacts) -> Applied:
    """The guide's backend block is part of a job; here it is on the machine, as the suite's jobs bring none (see the page)."""
    files = (
        from_template(facts.backend_settings, "guide/backend.tfbackend.j2", facts),
        from_template("/etc/environment", "guide/environment.j2", facts, backend_settings=facts.backend_settings),
    )
    return Applied(packages=("git",), programs=("tofu",)).with_files(*files)


_ROLES = {Role.STORAGE: _storage, Role.BALANCER: _balancer, Role.RUNNER: _runner}


def as_written(machine: MachineSpec, facts: LabFacts, identity: HostIdentity) -> Applied:
    """Everything that the guide puts on a machine, and nothing else.

    Args:
        machine: The planned machine.
        facts: The lab it belongs to.
        identity: Its host key; nobody signs it.
    """
    applied = _base(machine, facts, identity)
    for role in machine.roles:
        applied = applied.merged(_ROLES[role](facts))
    return applied


def in_order(plan: Topology) -> str:
    """Shell command that starts the services of a machine anew, in the plan's order: the second when the first has its port.

    The guide installs and starts MinIO in its step 1 and HAProxy in its step 5. At a boot systemd starts both, in no order.

    Raises:
        ValueError: The plan has no order.
    """
    if plan.first is None:
        msg = f"no two services of {plan.name} want the same port"
        raise ValueError(msg)
    first = SERVICES[plan.first]
    second = next(unit for unit in SERVICES.values() if unit != first)
    taken = f"ss -Hltn sport = :{plan.runner_endpoint.port} | grep -q ."
    return (
        f"systemctl stop {first} {second}; systemctl reset-failed; systemctl start {first}; "
        f"for _ in $(seq {LISTENS_WITHIN_SECONDS * 10}); do {taken} && break; sleep 0.1; done; systemctl restart {second}"
    )
