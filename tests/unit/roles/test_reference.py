"""The reference configuration says what the plan says: on every machine, for every size of fleet, and nothing beyond."""

from __future__ import annotations

import re

import pytest

from model.topology import TOPOLOGIES, Address, Role, Topology, topology
from provisioning.roles import Applied
from provisioning.roles.reference import BUCKET, HAPROXY_IS_DOWN, MINIO_DATA
from tests.unit.roles.conftest import Render

SIZES = [2, 3, 50, 100]
PLANS = [name for name in TOPOLOGIES if not topology(name).guide]
HAPROXY = "/etc/haproxy/haproxy.cfg"
KEEPALIVED = "/etc/keepalived/keepalived.conf"
SECRET_FILES = {
    "/etc/ssh/ssh_host_ed25519_key": (0o600, "root"),
    "/etc/default/minio": (0o600, "root"),
    "/etc/tofu/credentials": (0o640, "root:pipeline"),
}


@pytest.fixture(params=[(name, size) for name in PLANS for size in SIZES], ids=lambda given: f"{given[0]}-{given[1]}")
def plan(request: pytest.FixtureRequest) -> Topology:
    return topology(*request.param)


def of(plan: Topology, rendered: dict[str, Applied], role: Role) -> list[Applied]:
    return [rendered[spec.name] for spec in plan.of(role)]


def section(text: str, name: str) -> str:
    """One section of a HAProxy configuration."""
    found = re.search(rf"^listen {name}\n((?:[ \t].*\n|\n)*)", text, re.MULTILINE)
    return found.group(1) if found else ""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_no_template_leaves_a_gap(plan: Topology, render: Render) -> None:
    for name, applied in render(plan).items():
        for path, file in applied.files.items():
            assert path == file.path
            assert path.startswith("/")
            assert "{{" not in file.content, f"{path} of {name}"
            assert "{%" not in file.content, f"{path} of {name}"
            assert not re.search(r"\b(None|Undefined)\b", file.content), f"{path} of {name}"
            assert file.content.endswith("\n") or not file.content, f"{path} of {name} ends without a line's end"


def test_every_machine_knows_itself_and_the_others(plan: Topology, render: Render) -> None:
    for name, applied in render(plan).items():
        files = applied.files
        assert files["/etc/hostname"].content == f"{name}\n"
        hosts = {entry: address for address, entry in (line.split() for line in lines(files["/etc/hosts"].content))}
        assert hosts == {"localhost": "127.0.0.1"} | {spec.name: spec.address for spec in plan.machines}
        assert files["/etc/ssh/ssh_host_ed25519_key"].content == f"private {name}\n"
        assert files["/etc/ssh/ssh_host_ed25519_key.pub"].content == f"public {name}\n"
        for user in ("root", "pipeline"):
            assert files[f"/etc/ssh/authorized_keys/{user}"].content == "ssh-ed25519 AAAAlogin\n"
        assert "ssh.service" in applied.enabled
        assert "openssh-server" in applied.packages


def test_logins_are_by_key_only_and_prove_the_machine(plan: Topology, render: Render) -> None:
    settings = dict(line.split(" ", 1) for line in lines(render(plan)["runner01"].files["/etc/ssh/sshd_config.d/reference.conf"].content))
    assert settings["PasswordAuthentication"] == settings["KbdInteractiveAuthentication"] == "no"
    assert settings["HostCertificate"] == settings["HostKey"] + "-cert.pub"
    assert settings["AuthorizedKeysFile"] == "/etc/ssh/authorized_keys/%u"


def test_secrets_lie_only_in_files_that_others_cannot_read(plan: Topology, render: Render) -> None:
    for name, applied in render(plan).items():
        for path, file in applied.files.items():
            if path in SECRET_FILES:
                assert (file.mode, file.owner) == SECRET_FILES[path]
            else:
                assert (file.mode, file.owner) == (0o755 if "/sbin/" in path else 0o644, "root")
                for secret in ("the-root-password", "the-runner-secret", "private "):
                    assert secret not in file.content, f"{path} of {name}"


def test_a_secret_is_only_where_it_is_needed(plan: Topology, render: Render) -> None:
    holders = {"the-root-password": Role.STORAGE, "the-runner-secret": Role.RUNNER}
    rendered = render(plan)
    for spec in plan.machines:
        text = "".join(file.content for file in rendered[spec.name].files.values())
        assert {role for secret, role in holders.items() if secret in text} == {spec.role} & set(holders.values())


def test_each_balancer_serves_every_runner(plan: Topology, render: Render) -> None:
    for applied in of(plan, render(plan), Role.BALANCER):
        fleet = lines(section(applied.files[HAPROXY].content, "tofu_runner_fleet"))
        servers = [line for line in fleet if line.startswith("server ")]
        assert servers == [f"server {spec.name} {spec.address}:22" for spec in plan.of(Role.RUNNER)]
        assert f"bind {plan.runner_endpoint}" in fleet
        assert "balance static-rr" in fleet
        assert any(line.startswith("default-server check ") for line in fleet), "each server is looked after"
        assert r"tcp-check expect rstring ^SSH-2\.0-" in fleet, "the banner, not the handshake"
        assert "haproxy.service" in applied.enabled
        assert applied.files["/etc/haproxy/end_sessions.lua"].content.count('"tofu_runner_fleet"') == 1


def test_each_balancer_shows_statistics_that_nobody_can_change(plan: Topology, render: Render) -> None:
    for applied in of(plan, render(plan), Role.BALANCER):
        page = lines(section(applied.files[HAPROXY].content, "stats"))
        assert {f"bind *:{plan.statistics_port}", "stats uri /stats", "mode http"} <= set(page)
        assert not any(line.startswith("stats admin") for line in page)


def test_the_store_is_balanced_where_its_address_moves(plan: Topology, render: Render) -> None:
    for applied in of(plan, render(plan), Role.BALANCER):
        pool = lines(section(applied.files[HAPROXY].content, "state_storage"))
        if not plan.virtual_addresses:
            assert pool == []
            continue
        assert [line for line in pool if line.startswith("server ")] == [
            f"server {spec.name} {spec.address}:9000" for spec in plan.of(Role.STORAGE)
        ]
        assert {f"bind {plan.storage_endpoint}", "option httpchk GET /minio/health/live"} <= set(pool)
        assert any(line.startswith("default-server check port 9002 ") for line in pool), "who sees all drives, not who says it is well"


def test_a_section_of_haproxy_is_there_once(plan: Topology, render: Render) -> None:
    for applied in of(plan, render(plan), Role.BALANCER):
        listens = re.findall(r"^listen (\S+)$", applied.files[HAPROXY].content, re.MULTILINE)
        assert listens == ["tofu_runner_fleet", *(["state_storage"] if plan.virtual_addresses else []), "stats"]
        binds = re.findall(r"^\s+bind (\S+)$", applied.files[HAPROXY].content, re.MULTILINE)
        assert len(set(binds)) == len(binds) == len(listens)


def test_keepalived_is_there_only_where_addresses_move(plan: Topology, render: Render) -> None:
    balancers = of(plan, render(plan), Role.BALANCER)
    for applied in balancers:
        there = [KEEPALIVED in applied.files, "keepalived.service" in applied.enabled, "keepalived" in applied.packages]
        assert there == [bool(plan.virtual_addresses)] * 3
        if not plan.virtual_addresses:
            continue
        settings = lines(applied.files[KEEPALIVED].content)
        assert [line for line in settings if line.endswith("/24")] == [f"{address}/24" for address in plan.virtual_addresses]
        assert {"state BACKUP", "nopreempt", "interface host0", f"file {HAPROXY_IS_DOWN}"} <= set(settings)
        said = lines(applied.files["/etc/systemd/system/haproxy.service.d/haproxy-is-down.conf"].content)
        assert [f"ExecStartPost=/bin/sh -c 'echo 0 > {HAPROXY_IS_DOWN}'", f"ExecStopPost=/bin/sh -c 'echo 1 > {HAPROXY_IS_DOWN}'"] == said[
            1:
        ]
        assert "net.ipv4.ip_nonlocal_bind = 1" in applied.files["/etc/sysctl.d/60-virtual-addresses.conf"].content
    if plan.virtual_addresses:
        priorities = [re.findall(r"(?m)^    priority (\d+)", applied.files[KEEPALIVED].content) for applied in balancers]
        assert priorities == [["150"], ["100"]]
        routers = {tuple(re.findall(r"virtual_router_id (\d+)", applied.files[KEEPALIVED].content)) for applied in balancers}
        assert routers == {("51",)}, "they must be one pair"


def test_a_store_serves_at_its_own_address_and_names_all_nodes(plan: Topology, render: Render) -> None:
    nodes = plan.of(Role.STORAGE)
    volumes = [MINIO_DATA] if len(nodes) == 1 else [f"http://{node.address}:9000{MINIO_DATA}" for node in nodes]
    for spec, applied in zip(nodes, of(plan, render(plan), Role.STORAGE), strict=True):
        found = re.search(r"^ExecStart=(.*)$", applied.files["/etc/systemd/system/minio.service"].content, re.MULTILINE)
        assert found
        words = found.group(1).split()
        assert words[words.index("--address") + 1] == f"{spec.address}:9000"
        assert words[words.index("--console-address") + 1] == f":{plan.console_port}"
        assert words[-len(volumes) :] == volumes
        assert words[-len(volumes) - 1].startswith(":"), "and no other volume"
        assert applied.programs == ("minio",)
        assert applied.enabled.count("minio.service") == 1
        environment = dict(line.split("=", 1) for line in lines(applied.files["/etc/default/minio"].content))
        assert (environment["MINIO_ROOT_USER"], environment["MINIO_ROOT_PASSWORD"]) == ("the-admin", "the-root-password")
        assert f"{MINIO_DATA}/.keep" in applied.files


def test_a_store_of_several_gives_up_the_locks_of_a_node_that_died(plan: Topology, render: Render) -> None:
    nodes = plan.of(Role.STORAGE)
    for spec, applied in zip(nodes, of(plan, render(plan), Role.STORAGE), strict=True):
        if len(nodes) == 1:
            assert "release-abandoned-locks.service" not in applied.enabled
            continue
        assert "release-abandoned-locks.service" in applied.enabled
        script = applied.files["/usr/local/sbin/release-abandoned-locks"]
        assert script.mode == 0o755
        assert f"ME={spec.address}:9000" in lines(script.content)
        assert f"NODES=({' '.join(f'{node.address}:9000' for node in nodes)})" in lines(script.content)
        assert "FOR_A_WRITE=3 " in script.content, "three of four"
        assert "the-root-password" not in script.content


def test_a_store_of_several_tells_the_balancers_of_a_node_that_sees_all_drives(plan: Topology, render: Render) -> None:
    nodes = plan.of(Role.STORAGE)
    for spec, applied in zip(nodes, of(plan, render(plan), Role.STORAGE), strict=True):
        unit = applied.files["/etc/systemd/system/minio.service"].content
        assert ("Wants=minio-ready.service" in lines(unit)) == (len(nodes) > 1)
        if len(nodes) == 1:
            assert not any("minio-ready" in path for path in applied.files)
            continue
        assert {"After=minio.service", "BindsTo=minio.service"} <= set(
            lines(applied.files["/etc/systemd/system/minio-ready.service"].content)
        )
        script = applied.files["/usr/local/sbin/minio-ready"]
        assert script.mode == 0o755
        peers = " ".join(f"{node.address}:9000" for node in nodes if node != spec)
        assert {f"ADDRESS={spec.address} PORT=9000", f"PEERS=({peers})", "DRIVES=4", "READY_PORT=9002"} <= set(lines(script.content))


def test_a_store_of_several_waits_for_no_node_that_lost_its_power(plan: Topology, render: Render) -> None:
    nodes = plan.of(Role.STORAGE)
    for spec, applied in zip(nodes, of(plan, render(plan), Role.STORAGE), strict=True):
        assert applied.enabled.count("refuse-dead-peers.service") == (len(nodes) > 1)
        assert ("iputils-ping" in applied.packages) == (len(nodes) > 1)
        if len(nodes) > 1:
            script = lines(applied.files["/usr/local/sbin/refuse-dead-peers"].content)
            assert f"PEERS=({' '.join(node.address for node in nodes if node != spec)})" in script, "never itself"


def test_nodes_of_a_store_find_one_another_at_the_port_they_serve_at(render: Render) -> None:
    plan = topology("production")
    moved = Topology(plan.name, plan.machines, storage_endpoint=Address("10.1.0.101", 9500), virtual_addresses=plan.virtual_addresses)
    rendered = render(moved)
    unit = rendered["storage01"].files["/etc/systemd/system/minio.service"].content
    assert "--address 10.1.0.11:9500 " in unit
    assert unit.count(f":9500{MINIO_DATA}") == 4
    assert ":9000" not in unit
    assert "server storage04 10.1.0.14:9500" in rendered["balancer01"].files[HAPROXY].content


def test_a_runner_holds_the_backend_settings(plan: Topology, render: Render) -> None:
    for applied in of(plan, render(plan), Role.RUNNER):
        settings = dict(re.split(r"\s+=\s+", line, maxsplit=1) for line in lines(applied.files["/etc/tofu/backend.tfbackend"].content))
        assert settings == {
            "bucket": f'"{BUCKET}"',
            "region": '"us-east-1"',
            "endpoints": f'{{ s3 = "http://{plan.storage_endpoint}" }}',
            "use_lockfile": "true",
            "use_path_style": "true",
            "skip_credentials_validation": "true",
            "skip_metadata_api_check": "true",
            "skip_region_validation": "true",
            "skip_requesting_account_id": "true",
        }
        environment = dict(line.split("=", 1) for line in lines(applied.files["/etc/environment"].content))
        assert environment["TF_CLI_ARGS_init"] == "-backend-config=/etc/tofu/backend.tfbackend"
        assert environment["AWS_SHARED_CREDENTIALS_FILE"] == "/etc/tofu/credentials"
        assert environment["AWS_SHARED_CREDENTIALS_FILE"] in applied.files
        assert lines(applied.files["/etc/tofu/credentials"].content) == [
            "[default]",
            "aws_access_key_id = tofu-runner",
            "aws_secret_access_key = the-runner-secret",
        ]
        assert applied.programs == ("tofu",)


def test_nothing_of_a_role_is_on_another_machine(plan: Topology, render: Render) -> None:
    marks = {
        Role.STORAGE: "/etc/systemd/system/minio.service",
        Role.BALANCER: HAPROXY,
        Role.RUNNER: "/etc/tofu/backend.tfbackend",
    }
    rendered = render(plan)
    for spec in plan.machines:
        assert {role for role, path in marks.items() if path in rendered[spec.name].files} == {spec.role}
