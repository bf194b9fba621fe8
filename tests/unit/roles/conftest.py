"""Configuration of every machine of a lab, as it would be written to its disk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from model.topology import Topology
from provisioning.identities import HostIdentity
from provisioning.roles import Applied
from provisioning.roles.reference import Credentials, LabFacts, reference

Render = Callable[[Topology], dict[str, Applied]]


@pytest.fixture
def credentials() -> Credentials:
    """Keys that are easily found in a text."""
    return Credentials("the-admin", "the-root-password", "tofu-runner", "the-runner-secret")


@pytest.fixture
def render(credentials: Credentials) -> Render:
    """The reference configuration of a plan, by machine."""

    def rendered(plan: Topology) -> dict[str, Applied]:
        facts = LabFacts(plan, credentials, "ssh-ed25519 AAAAlogin")
        return {
            spec.name: reference(spec, facts, HostIdentity(f"private {spec.name}\n", f"public {spec.name}", "cert"))
            for spec in plan.machines
        }

    return rendered
