"""Who gets power first, in a lab that is made."""

from __future__ import annotations

from model.topology import Role, topology
from provisioning.embedded.driver import CALLED_FIRST

WHO_CALLS = {
    "10.1.0.11:9000": {"10.1.0.12:9000", "10.1.0.13:9000"},
    "10.1.0.12:9000": {"10.1.0.13:9000"},
    "10.1.0.13:9000": set(),
    "10.1.0.14:9000": {"10.1.0.11:9000", "10.1.0.12:9000", "10.1.0.13:9000"},
}
"""Where XXH3 of `http://<own>` and `http://<other>`, one after the other, is less than the other way round."""


def test_storage_machines_are_called_only_by_those_that_start_later() -> None:
    plan = topology("production")
    at = {node.name: f"{node.address}:{plan.storage_endpoint.port}" for node in plan.of(Role.STORAGE)}
    assert sorted(CALLED_FIRST) == sorted(at)
    for position, name in enumerate(CALLED_FIRST):
        assert WHO_CALLS[at[name]] == {at[other] for other in CALLED_FIRST[:position]}
