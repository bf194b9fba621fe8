"""A lab whose state store speaks TLS, by itself and by a terminator before it: the guide's checks pass, and a wrong certificate is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from model.topology import MachineSpec, Role
from provisioning.embedded.driver import EmbeddedDriver
from provisioning.existing.writing import write_lab_file
from provisioning.roles import Applied, File
from provisioning.roles.reference import BACKEND_SETTINGS, MINIO_UNIT
from tests.certificates import Authority
from tests.contract.conftest import PLAN
from tests.contract.existing.looking import looked
from tests.contract.temporary import temporary_lab
from tests.faulty_labs.acceptance_run import run_features

CA = Authority("the lab")
STORE, BALANCER, TERMINATED = "10.1.0.101", "10.1.0.102", 9443
CERTIFICATES, SETTLED = "/etc/minio/certs", "/etc/tofu/store-ca.pem"
TERMINATOR = f"""
listen state_storage
    bind {BALANCER}:{TERMINATED} ssl crt /etc/haproxy/store.pem
    mode http
    server storage01 {STORE}:9000
"""


def runner_trusts(applied: Applied, url: str) -> Applied:
    """A runner with the backend settings of a lab that speaks TLS."""
    settled = applied.with_edit(BACKEND_SETTINGS, f"http://{STORE}:9000", url).with_files(File(SETTLED, CA.certificate))
    return settled.with_edit(BACKEND_SETTINGS, "use_path_style", f'custom_ca_bundle = "{SETTLED}"\nuse_path_style')


def minio_speaks_tls(machine: MachineSpec, applied: Applied) -> Applied:
    """MinIO has the certificate."""
    if machine.role is Role.STORAGE:
        issued = CA.issue(STORE)
        files = (
            File(f"{CERTIFICATES}/public.crt", issued.certificate),
            File(f"{CERTIFICATES}/private.key", issued.key, 0o600),
        )
        return applied.with_files(*files).with_edit(
            f"/etc/systemd/system/{MINIO_UNIT}", "minio server", f"minio server --certs-dir {CERTIFICATES}"
        )
    return runner_trusts(applied, f"https://{STORE}:9000") if machine.role is Role.RUNNER else applied


def balancer_ends_tls(machine: MachineSpec, applied: Applied) -> Applied:
    """HAProxy has the certificate, and MinIO behind it speaks plain HTTP."""
    if machine.role is Role.BALANCER:
        issued = CA.issue(BALANCER)
        configured = applied.files["/etc/haproxy/haproxy.cfg"]
        return applied.with_files(
            replace(configured, content=configured.content + TERMINATOR),
            File("/etc/haproxy/store.pem", issued.certificate + issued.key, 0o600),
        )
    return runner_trusts(applied, f"https://{BALANCER}:{TERMINATED}") if machine.role is Role.RUNNER else applied


KINDS = {
    "MinIO": (minio_speaks_tls, f"{STORE}:9000", ""),
    "terminator": (balancer_ends_tls, f"{BALANCER}:{TERMINATED}", "node_tls = false\nnode_port = 9000\n"),
}


pytestmark = pytest.mark.proof


@pytest.fixture(scope="module", params=KINDS)
def file(request: pytest.FixtureRequest, driver: EmbeddedDriver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of a lab that is up."""
    alter, endpoint, more = KINDS[request.param]
    own = replace(driver, alter=alter, _owned={})
    with temporary_lab(own, PLAN, "tls") as lab:
        path = tmp_path_factory.mktemp("tls") / "lab.toml"
        write_lab_file(lab, path)
        (path.parent / "store-ca.pem").write_text(CA.certificate, encoding="utf-8")
        text = path.read_text(encoding="utf-8")
        plain = f'endpoint = "{lab.store.endpoint}"\nbucket'
        assert plain in text
        path.write_text(
            text.replace(plain, f'endpoint = "{endpoint}"\ntls = true\nca_file = "store-ca.pem"\n{more}bucket'), encoding="utf-8"
        )
        yield path


def test_it_is_looked_over(file: Path) -> None:
    assert looked(file)[0] == {}


def test_the_guides_checks_pass(file: Path, tmp_path: Path) -> None:
    run = run_features(tmp_path, "--lab", str(file), "--check", "V*,S2,S3", "-m", "not disruptive")
    verdicts = {entry["title"]: (entry["verdict"], entry["reason"]) for entry in run.record["scenarios"]}
    assert {title: told for title, told in verdicts.items() if told[0] != "passed"} == {}, run.output
    assert {"V2", "V3", "V4", "S2", "S3"} <= {each for entry in run.record["scenarios"] for each in entry["checks"]}
    assert run.process.returncode == 0, run.output


@pytest.mark.parametrize(
    ("ca", "words"),
    [
        (Authority("somebody else").certificate, "its certificate is signed by a CA that is not trusted"),
        (None, "its certificate is signed by a CA that is not trusted"),
    ],
    ids=["another CA", "no CA"],
)
def test_whom_we_do_not_trust_is_told(file: Path, ca: str | None, words: str) -> None:
    path = file.with_name("distrustful.toml")
    text = file.read_text(encoding="utf-8")
    path.write_text(
        text.replace('"store-ca.pem"', '"other-ca.pem"') if ca else text.replace('ca_file = "store-ca.pem"\n', ""), encoding="utf-8"
    )
    path.with_name("other-ca.pem").write_text(ca or "", encoding="utf-8")
    [finding] = [each for name, each in looked(path)[0].items() if name.startswith("state store https://")]
    assert words in str(finding["found"])
    assert finding["remedy"] == "put store.ca_file and the store's certificate right"
