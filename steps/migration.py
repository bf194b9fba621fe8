"""Sentences about a state that began on a disk and moves to the state store."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_bdd import given, then, when

from model.errors import PromiseBroken
from model.lab import Lab
from probes import job_steps as do
from probes.jobs import JobClient
from probes.snapshots import StateSnapshot
from probes.store import StoreProbe
from probes.tofu import JobOutcome
from probes.workspace import Workspace, fresh_value, local
from steps.state import RESOURCES, snapshot


@dataclass
class Migration:
    """A state that began in a local file.

    Attributes:
        key: Where it goes.
        outcome: The one job in which it began, moved (or not), and was looked at.
    """

    key: str
    outcome: JobOutcome

    def local_state(self, step: str) -> StateSnapshot | None:
        """The local file as a step of the job printed it; None when it was empty or missing."""
        text = self.outcome.step(step).stdout.strip()
        return StateSnapshot.from_json(text.encode()) if text else None


LOOK_LOCAL = "cat terraform.tfstate 2>/dev/null || true"
LOCAL_APPLY = "tofu apply -input=false -no-color -auto-approve"


@given("a configuration with resources and its state in a local file", target_fixture="local_workspace")
def describe_local_workspace(key: str) -> Workspace:
    return local(key, fresh_value(), resources=RESOURCES)


def _begin_locally() -> list[do.Step]:
    return [do.init_local(), do.shell("local apply", LOCAL_APPLY), do.shell("local before", LOOK_LOCAL), do.use_lab_backend()]


@when("its state is migrated to the state store", target_fixture="migration")
def migrate(lab: Lab, jobs: JobClient, local_workspace: Workspace) -> Migration:
    change = f"sed -i 's/input = .*/input = \"{fresh_value()}\"/' main.tf"
    steps = [
        *_begin_locally(),
        do.migrate(local_workspace),
        do.shell("local after", LOOK_LOCAL),
        do.plan(),
        do.state_pull(),
        do.shell("edit", change),
        do.apply(),
        do.shell("local in the end", LOOK_LOCAL),
    ]
    return Migration(local_workspace.key, jobs.on(lab.runners[0], local_workspace, *steps))


@when("a migration is started without approval and without anybody to ask", target_fixture="migration")
def migrate_without_approval(lab: Lab, jobs: JobClient, local_workspace: Workspace) -> Migration:
    steps = [*_begin_locally(), do.migrate(local_workspace, approved=False).tolerant(), do.shell("local after", LOOK_LOCAL)]
    return Migration(local_workspace.key, jobs.on(lab.runners[0], local_workspace, *steps))


def _before(migration: Migration) -> StateSnapshot:
    before = migration.local_state("local before")
    assert before is not None, f"expected a local state; observed:\n{migration.outcome}"
    assert before.resources == RESOURCES, f"expected {RESOURCES} resources in the local state; observed {before.resources}"
    return before


def _pulled(migration: Migration) -> StateSnapshot:
    pulled = migration.outcome.step("state pull")
    assert migration.outcome.step("migrate").ok, f"expected the migration to succeed; observed:\n{migration.outcome}"
    assert pulled.ok, f"expected a state to be pulled from the store; observed:\n{migration.outcome}"
    return StateSnapshot.from_json(pulled.stdout.encode())


@then("the state store holds exactly the same resources")
def check_arrival(migration: Migration, store: StoreProbe) -> None:
    before, pulled, stored = _before(migration), _pulled(migration), snapshot(store, migration.key)
    assert pulled.managed == before.managed, (
        f"expected the resources of the local state; observed\n{pulled.managed}\ninstead of\n{before.managed}"
    )
    assert stored.resources == before.resources, f"expected {before.resources} resources in the bucket; observed {stored.resources}"


@then("a plan shows no changes")
def check_plan(migration: Migration) -> None:
    assert migration.outcome.plan_shows_no_changes, f"expected no changes after the migration; observed:\n{migration.outcome}"


@then("later changes continue that history, and the local file is no longer used")
def check_later_change(migration: Migration, store: StoreProbe) -> None:
    assert migration.outcome.ok, f"expected a later change to succeed; observed:\n{migration.outcome}"
    after, in_the_end = migration.outcome.step("local after").stdout, migration.outcome.step("local in the end").stdout
    assert in_the_end == after, f"expected the local file untouched by a later change; observed:\n{in_the_end}"
    assert not after.strip(), f"expected the local file to hold no state after the migration; observed:\n{after}"
    pulled, stored = _pulled(migration), snapshot(store, migration.key)
    assert stored.lineage == pulled.lineage, f"expected a later change to keep lineage {pulled.lineage}; observed {stored.lineage}"
    assert stored.serial == pulled.serial + 1, f"expected the change in the store as serial {pulled.serial + 1}; observed {stored.serial}"


@then("it is refused for want of approval")
def check_refused_migration(migration: Migration) -> None:
    refused = migration.outcome.step("migrate")
    said = " ".join(refused.output.split())
    assert refused.exit_status == 1, f"expected the migration to be refused with exit code 1; observed:\n{migration.outcome}"
    assert "approval" in said or "input is disabled" in said or "asking for state migration" in said, (
        f"expected to be told that nobody could be asked; observed:\n{said}"
    )


@then("the local file still holds the state")
def check_local_state(migration: Migration) -> None:
    before, after = _before(migration), migration.local_state("local after")
    assert after == before, f"expected the local file unchanged; observed {after}, was {before}"


@then("the state store holds nothing under its key")
def check_nothing_stored(migration: Migration, store: StoreProbe) -> None:
    found = store.state(migration.key)
    assert found.missing, f"expected nothing under {migration.key}; observed {found}"


@given("a state that was migrated to the state store", target_fixture="migration")
def have_migrated(lab: Lab, jobs: JobClient, key: str) -> Migration:
    workspace = local(key, fresh_value(), resources=RESOURCES)
    migration = Migration(key, jobs.on(lab.runners[0], workspace, *_begin_locally(), do.migrate(workspace)))
    if not migration.outcome.ok:
        raise PromiseBroken(f"expected a local state to move to the store; observed:\n{migration.outcome}")
    return migration
