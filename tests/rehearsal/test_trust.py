# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who answers must prove to be the cluster, by a CA or by the one certificate that is known; nobody else is told the token."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakepve.certs import make_cert

from model.errors import LabUnavailable
from provisioning import drivers
from provisioning.proxmox import preflight, removal
from provisioning.proxmox.driver import ProxmoxDriver
from provisioning.proxmox.making import make_vms
from provisioning.proxmox.workspace import create
from tests.rehearsal.rehearsal import Rehearsal

Trusting = Callable[[str], ProxmoxDriver]
OTHER = ":".join(["AB"] * 32)


@pytest.fixture
def trusting(paper: Rehearsal) -> Iterator[Trusting]:
    """The driver by a lab file that trusts somebody else than the cluster's own CA; one line of it, or none."""
    made: list[ProxmoxDriver] = []

    def driver(line: str) -> ProxmoxDriver:
        path = paper.lab_file("single")
        path.write_text(path.read_text().replace(f'ca_file = "{paper.serving.ca_file}"', line))
        made.append(drivers.proxmox(path))
        return made[-1]

    yield driver
    for each in made:
        each.cluster.close()


def fingerprint_of(paper: Rehearsal) -> str:
    """As `pvenode cert info` shows it."""
    digits = hashlib.sha256(ssl.PEM_cert_to_DER_cert(paper.serving.ca_file.read_text())).hexdigest().upper()
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def refuses(driver: ProxmoxDriver, paper: Rehearsal, match: str) -> None:
    """Nothing is said to it."""
    with pytest.raises(LabUnavailable, match=match):
        preflight.require(driver.cluster, driver.file, driver.file.plan())
    assert paper.serving.do(lambda cluster: list(cluster.requests)) == []


def test_a_certificate_with_the_known_fingerprint_is_enough_for_all_programs(trusting: Trusting, paper: Rehearsal) -> None:
    driver = trusting(f'fingerprint = "{fingerprint_of(paper)}"')
    plan = driver.file.plan()
    preflight.require(driver.cluster, driver.file, plan)
    workspace, owned = create(driver.file, driver.path, plan, "pinned")
    tofu = driver.tools.tofu_for(workspace, driver.cluster)
    make_vms(tofu, workspace, plan, driver.file.parallel, driver.tell)
    assert not tofu.plan()
    removal.remove(workspace, driver.cluster, driver.tools, driver.tell)
    owned.release(keep=False)
    assert paper.vms() == []


def test_another_certificate_than_the_one_with_the_fingerprint_is_refused(trusting: Trusting, paper: Rehearsal) -> None:
    refuses(trusting(f'fingerprint = "{OTHER}"'), paper, f"shows a certificate with the fingerprint {fingerprint_of(paper)}, not {OTHER}")


def test_a_certificate_of_another_ca_is_refused(trusting: Trusting, paper: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other, _, _ = make_cert(str(tmp_path / "other"), hosts=("127.0.0.1",))
    refuses(trusting(f'ca_file = "{other}"'), paper, "its certificate is not trusted; give cluster.ca_file .* or fingerprint")


def test_a_certificate_that_this_host_does_not_trust_is_refused(trusting: Trusting, paper: Rehearsal) -> None:
    refuses(trusting(""), paper, "its certificate is not trusted; give cluster.ca_file .* or fingerprint")
