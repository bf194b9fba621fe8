"""The guide to the letter: its settings, nothing that it does not say, and the order in which it builds."""

from __future__ import annotations

import pytest

from model.topology import Role, topology
from provisioning.identities import HostIdentity
from provisioning.roles import Applied
from provisioning.roles.guide import CREDENTIALS, USER, as_written, in_order
from provisioning.roles.reference import LabFacts

PLANS = ("as-written", "as-written-haproxy-first", "as-written-resolved")
ADDED_BY_THE_REFERENCE = (
    "redispatch",
    "timeout check",
    "expect",
    "static-rr",
    "fastinter",
    "lua",
    "MINIO_CI_CD",
    "--address",
    "RestartSec",
)


def rendered(name: str, runners: int = 3) -> dict[str, Applied]:
    plan = topology(name, runners)
    facts = LabFacts(plan, CREDENTIALS, "ssh-ed25519 AAAAlogin", pipeline_user=USER)
    return {spec.name: as_written(spec, facts, HostIdentity("private\n", "public", "cert")) for spec in plan.machines}


@pytest.mark.parametrize("name", PLANS)
def test_the_balancer_is_as_in_step_5(name: str) -> None:
    machine = topology(name).of(Role.BALANCER)[0]
    text = rendered(name)[machine.name].files["/etc/haproxy/haproxy.cfg"].content
    settings = {line.strip() for line in text.splitlines()}
    assert {"bind 0.0.0.0:9000", "bind *:8404", "balance roundrobin", "option tcp-check", "stats admin if TRUE", "daemon"} <= settings
    assert {"timeout connect 5000", "timeout client 50000", "timeout server 50000"} <= settings
    assert [line.strip() for line in text.splitlines() if line.strip().startswith("server ")] == [
        f"server runner0{number} 10.1.0.10{number + 2}:22 check port 22 inter 5s rise 2 fall 3" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("name", PLANS)
def test_the_store_is_as_in_step_1(name: str) -> None:
    unit = rendered(name)["storage01"].files["/etc/systemd/system/minio.service"].content
    assert 'ExecStart=/usr/local/bin/minio server /mnt/minio-data --console-address ":9001"\nRestart=always\n' in unit
    assert 'Environment="MINIO_ROOT_USER=minioadmin"\nEnvironment="MINIO_ROOT_PASSWORD=minioadmin123"\n' in unit


@pytest.mark.parametrize("name", PLANS)
def test_the_backend_is_as_in_step_3(name: str) -> None:
    lines = rendered(name)["runner02"].files["/etc/tofu/backend.tfbackend"].content.splitlines()
    settings = dict(line.partition(" #")[0].split(" = ") for line in lines if " = " in line)
    assert settings == {
        "bucket": '"opentofu-state-storage"',
        "region": '"us-east-1"',
        "endpoint": f'"http://{topology(name).storage_endpoint}"',
        "access_key": '"minioadmin"',
        "secret_key": '"minioadmin123"',
        "skip_credentials_validation": "true",
        "skip_metadata_api_check": "true",
        "skip_region_validation": "true",
        "force_path_style": "true",
        "use_lockfile": "true",
    }


@pytest.mark.parametrize("name", PLANS)
def test_nothing_of_the_reference_configuration_is_there(name: str) -> None:
    for applied in rendered(name).values():
        text = "\n".join(file.content for file in applied.files.values())
        assert [words for words in ADDED_BY_THE_REFERENCE if words in text] == []
        assert not any("cert" in path or "sshd_config" in path for path in applied.files)
        assert applied.users == ()


def test_one_host_does_both() -> None:
    host = rendered("as-written")["storage01"]
    assert {"minio.service", "haproxy.service", "ssh.service"} == set(host.enabled)


@pytest.mark.parametrize(
    ("name", "first", "second"), [("as-written", "minio", "haproxy"), ("as-written-haproxy-first", "haproxy", "minio")]
)
def test_the_second_service_starts_when_the_first_has_its_port(name: str, first: str, second: str) -> None:
    said = in_order(topology(name))
    assert said.index(f"start {first}.service") < said.index("sport = :9000") < said.index(f"restart {second}.service")


def test_there_is_no_order_where_nothing_clashes() -> None:
    with pytest.raises(ValueError, match="no two services of as-written-resolved"):
        in_order(topology("as-written-resolved"))
