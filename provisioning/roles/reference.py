"""Renders the reference configuration of a lab: one function per role, one template per file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model.topology import MachineSpec, Role, Topology
from provisioning.identities import HostIdentity
from provisioning.roles import Applied, File

BUCKET = "opentofu-state-storage"
PIPELINE_USER = "pipeline"
MINIO_DATA = "/mnt/minio-data"
BACKEND_SETTINGS = "/etc/tofu/backend.tfbackend"
RELEASE = "release-abandoned-locks"
REFUSE = "refuse-dead-peers"
READY = "minio-ready"
READY_PORT = 9002
"""Open while a storage node sees the drives of all: there a balancer asks for its health."""
CREDENTIALS = "/etc/tofu/credentials"
HAPROXY_IS_DOWN = "/run/haproxy-is-down"
INTERFACE = "host0"
"""Of machines of an embedded lab: systemd-nspawn's."""

SSHD, HAPROXY, KEEPALIVED, MINIO_UNIT = "ssh.service", "haproxy.service", "keepalived.service", "minio.service"
SYSCTL = "systemd-sysctl.service"


@dataclass(frozen=True)
class Credentials:
    """Keys of the state store: the administrator's and the one that runners use."""

    root_user: str
    root_password: str = field(repr=False)
    runner_key: str = "tofu-runner"
    runner_secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class LabFacts:
    """What templates may say about the lab.

    Attributes:
        topology: The plan.
        credentials: Keys of the state store.
        authorized_key: Public key that may log in.
        bucket: Where the states are.
        pipeline_user: Whose account pipelines use on runners.
        backend_settings: Where runners keep their partial backend configuration.
    """

    topology: Topology
    credentials: Credentials
    authorized_key: str
    bucket: str = BUCKET
    pipeline_user: str = PIPELINE_USER
    backend_settings: str = BACKEND_SETTINGS


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - configuration files, not HTML
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def from_template(  # noqa: PLR0913 - what a file is made of
    path: str, template: str, facts: LabFacts, *, mode: int = 0o644, owner: str = "root", unit: str = "", **values: object
) -> File:
    """A file of a machine, as its template and the lab make it."""
    text = _templates.get_template(template).render(
        topology=facts.topology, storage=facts.topology.of(Role.STORAGE), balancers=facts.topology.of(Role.BALANCER),
        runners=facts.topology.of(Role.RUNNER), credentials=facts.credentials, bucket=facts.bucket, **values,
    )  # fmt: skip
    return File(path, text, mode, owner, unit)


def _base(machine: MachineSpec, facts: LabFacts, identity: HostIdentity) -> Applied:
    key = "/etc/ssh/ssh_host_ed25519_key"
    files = (
        File("/etc/hostname", f"{machine.name}\n"),
        from_template("/etc/hosts", "hosts.j2", facts),
        from_template("/etc/ssh/sshd_config.d/reference.conf", "sshd.conf.j2", facts, key=key, unit=SSHD),
        File(key, identity.private_key, 0o600, unit=SSHD),
        File(f"{key}.pub", identity.public_key + "\n"),
        File(f"{key}-cert.pub", identity.certificate + "\n", unit=SSHD),
        File("/etc/ssh/authorized_keys/root", facts.authorized_key + "\n"),
        File(f"/etc/ssh/authorized_keys/{facts.pipeline_user}", facts.authorized_key + "\n"),
    )
    return Applied(packages=("openssh-server",), enabled=(SSHD,), users=(facts.pipeline_user,)).with_files(*files)


def _storage(machine: MachineSpec, facts: LabFacts, _interface: str) -> Applied:
    nodes, port = facts.topology.of(Role.STORAGE), facts.topology.storage_endpoint.port
    volumes = MINIO_DATA if len(nodes) == 1 else " ".join(f"http://{node.address}:{port}{MINIO_DATA}" for node in nodes)
    files = (
        from_template("/etc/systemd/system/minio.service", "minio.service.j2", facts, machine=machine, volumes=volumes, unit=MINIO_UNIT),
        from_template("/etc/default/minio", "minio.env.j2", facts, mode=0o600, unit=MINIO_UNIT),
        from_template("/etc/sysctl.d/60-state-storage.conf", "storage-sysctl.conf.j2", facts, unit=SYSCTL),
        File(f"{MINIO_DATA}/.keep", ""),
    )
    applied = Applied(packages=("ca-certificates",), programs=("minio",), enabled=(MINIO_UNIT,)).with_files(*files)
    return applied if len(nodes) == 1 else applied.merged(_of_several(machine, facts))


def _of_several(machine: MachineSpec, facts: LabFacts) -> Applied:
    """What a store of several machines needs beside MinIO: a store of one has no peers to find, and forgets locks with its process."""
    applied = Applied(packages=("curl", "jq", "iputils-ping"), enabled=(f"{RELEASE}.service", f"{REFUSE}.service"))
    for name in (READY, RELEASE, REFUSE):
        service = f"{name}.service"
        script = from_template(
            f"/usr/local/sbin/{name}", f"{name}.sh.j2", facts, mode=0o755, machine=machine, ready_port=READY_PORT, unit=service
        )
        unit = from_template(f"/etc/systemd/system/{service}", f"{service}.j2", facts, unit=service)
        applied = applied.with_files(script, unit)
    return applied


def _balancer(machine: MachineSpec, facts: LabFacts, interface: str) -> Applied:
    applied = Applied(packages=("haproxy", "curl"), enabled=(HAPROXY,)).with_files(
        from_template("/etc/haproxy/haproxy.cfg", "haproxy.cfg.j2", facts, machine=machine, ready_port=READY_PORT, unit=HAPROXY),
        from_template("/etc/haproxy/end_sessions.lua", "end_sessions.lua.j2", facts, unit=HAPROXY),
    )
    if not facts.topology.virtual_addresses:
        return applied
    first = machine == facts.topology.of(Role.BALANCER)[0]
    return applied.merged(
        Applied(packages=("keepalived",), enabled=(KEEPALIVED,)).with_files(
            from_template(
                "/etc/keepalived/keepalived.conf",
                "keepalived.conf.j2",
                facts,
                unit=KEEPALIVED,
                priority=150 if first else 100,
                interface=interface,
                down=HAPROXY_IS_DOWN,
            ),
            from_template(
                f"/etc/systemd/system/{HAPROXY}.d/haproxy-is-down.conf",
                "haproxy-is-down.conf.j2",
                facts,
                unit=HAPROXY,
                down=HAPROXY_IS_DOWN,
            ),
            from_template("/etc/sysctl.d/60-virtual-addresses.conf", "balancer-sysctl.conf.j2", facts, unit=SYSCTL),
        ),
    )


def _runner(_machine: MachineSpec, facts: LabFacts, _interface: str) -> Applied:
    files = (
        from_template(facts.backend_settings, "backend.tfbackend.j2", facts),
        from_template(CREDENTIALS, "credentials.j2", facts, mode=0o640, owner=f"root:{facts.pipeline_user}"),
        from_template("/etc/environment", "environment.j2", facts, backend_settings=facts.backend_settings),
    )
    return Applied(packages=("git", "ca-certificates"), programs=("tofu",), users=(facts.pipeline_user,)).with_files(*files)


_ROLES = {Role.STORAGE: _storage, Role.BALANCER: _balancer, Role.RUNNER: _runner}


def services(machine: MachineSpec, facts: LabFacts, interface: str = INTERFACE) -> Applied:
    """What the reference configuration puts on a machine for its roles; names, keys and logins are left to whoever owns it.

    Args:
        machine: The planned machine.
        facts: The lab it belongs to.
        interface: The network interface that has its address.
    """
    applied = Applied()
    for role in machine.roles:
        applied = applied.merged(_ROLES[role](machine, facts, interface))
    return applied


def reference(machine: MachineSpec, facts: LabFacts, identity: HostIdentity, interface: str = INTERFACE) -> Applied:
    """Everything that the reference configuration puts on a machine.

    Args:
        machine: The planned machine.
        facts: The lab it belongs to.
        identity: Its host key and certificate.
        interface: The network interface that has its address.
    """
    return _base(machine, facts, identity).merged(services(machine, facts, interface))
