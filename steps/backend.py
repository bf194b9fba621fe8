"""Sentences about the backend settings that runners work with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_bdd import then, when

from model.lab import Lab
from probes import job_steps as do
from probes.jobs import JobClient
from probes.tofu import JobOutcome
from probes.workspace import counted, fresh_value

SAVED = "cat .terraform/terraform.tfstate"
DEFAULT_WORKSPACE = "default"
OUTDATED = {
    "endpoint": "endpoints",
    "iam_endpoint": "endpoints",
    "sts_endpoint": "endpoints",
    "dynamodb_endpoint": "endpoints",
    "force_path_style": "use_path_style",
    "shared_credentials_file": "shared_credentials_files",
    "role_arn": "assume_role",
}
"""Arguments of the S3 backend that are replaced, and by what (opentofu `internal/backend/remote-state/s3/backend.go`)."""

NEW_FORM = {"endpoint": 'endpoints = {{ s3 = "{url}" }}', "force_path_style": "use_path_style = true"}
"""How the outdated arguments of the guide are written today."""


@dataclass(frozen=True)
class Effective:
    """What OpenTofu on one runner made of the lab's settings (`.terraform/terraform.tfstate` after `tofu init`).

    Attributes:
        runner: Its name.
        kind: Of the backend: `s3`; empty for local state.
        bucket: Where states go.
        endpoint: Where the bucket is.
        locks: Whether states are locked.
        workspace: The selected workspace.
        outcome: Of the job that looked.
    """

    runner: str
    kind: str
    bucket: str
    endpoint: str
    locks: bool
    workspace: str
    outcome: JobOutcome


def _saved(outcome: JobOutcome) -> dict[str, Any]:
    saved: dict[str, Any] = json.loads(outcome.step("saved").stdout or "{}").get("backend") or {}
    return saved


def _effective(runner: str, outcome: JobOutcome) -> Effective:
    saved = _saved(outcome)
    settings = saved.get("config") or {}
    endpoints = settings.get("endpoints") or {}
    endpoint = (endpoints.get("s3") if isinstance(endpoints, dict) else None) or settings.get("endpoint") or ""
    workspace = outcome.step("workspace").stdout.strip()
    locks = settings.get("use_lockfile") is True
    return Effective(runner, saved.get("type", ""), settings.get("bucket") or "", endpoint, locks, workspace, outcome)


@when("the backend settings that each runner works with are compared", target_fixture="effective")
def read_settings(lab: Lab, jobs: JobClient, key: str) -> list[Effective]:
    steps = [do.shell("saved", SAVED).tolerant(), do.shell("workspace", "tofu workspace show").tolerant()]
    return [_effective(runner.name, jobs.on(runner, counted(key, fresh_value()), *steps)) for runner in lab.runners]


@then("every runner keeps its state in the bucket of the states")
def check_bucket(lab: Lab, effective: list[Effective]) -> None:
    for each in effective:
        assert each.outcome.step("init").ok, f"expected `tofu init` to succeed on {each.runner}; observed:\n{each.outcome}"
        assert each.kind == "s3", f"expected {each.runner} to keep its state in S3; observed {each.kind or 'local state'}:\n{each.outcome}"
        assert each.bucket == lab.store.bucket, f"expected {each.runner} to use bucket {lab.store.bucket}; observed {each.bucket}"


@then("every runner reaches it at the same endpoint")
def check_endpoint(lab: Lab, effective: list[Effective]) -> None:
    for each in effective:
        assert each.endpoint.rstrip("/") == lab.store.url, (
            f"expected {each.runner} to use the endpoint {lab.store.url}; observed {each.endpoint}"
        )


@then("every runner locks its state")
def check_locking(effective: list[Effective]) -> None:
    for each in effective:
        assert each.locks, f"expected use_lockfile = true on {each.runner}; observed that it does not lock its state"


@then("no runner works in a workspace of its own")
def check_workspace(effective: list[Effective]) -> None:
    for each in effective:
        assert each.workspace == DEFAULT_WORKSPACE, (
            f"expected {each.runner} in workspace {DEFAULT_WORKSPACE!r}; observed {each.workspace!r}"
        )


@when("every runner initialises a configuration with the settings of the lab", target_fixture="initialised")
def initialise_everywhere(lab: Lab, jobs: JobClient, key: str) -> list[JobOutcome]:
    workspace = counted(key, fresh_value())
    return [jobs.on(runner, workspace, do.shell("saved", SAVED).tolerant()) for runner in lab.runners]


@then("each succeeds")
def check_initialised(initialised: list[JobOutcome]) -> None:
    for outcome in initialised:
        assert outcome.ok, f"expected `tofu init` to succeed on {outcome.who}; observed:\n{outcome}"


@then("none uses, or is warned of, an outdated argument")
def check_no_outdated(initialised: list[JobOutcome]) -> None:
    for outcome in initialised:
        said = outcome.step("init").output
        assert "eprecated" not in said, f"expected no deprecation warning on {outcome.who}; observed:\n{said}"
        settings = json.loads(outcome.step("saved").stdout)["backend"]["config"]
        found = [f"{name} (use {new})" for name, new in OUTDATED.items() if settings.get(name) is not None]
        assert not found, f"expected no outdated argument on {outcome.who}; observed {', '.join(found)}"


GUIDE_BLOCK = """terraform {{
  backend "s3" {{
    bucket                      = "{bucket}"
    key                         = "{key}"
    region                      = "us-east-1" # Required but ignored
    endpoint                    = "{url}"
{keys}    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    force_path_style            = true
    use_lockfile                = true
  }}
}}
"""
"""The arguments of the guide's step 3, with the lab's bucket; keys stay where the runner has them, which by the guide is this block.

`skip_requesting_account_id` is not among them: OpenTofu then asks AWS for an account, fails, and goes on.
"""


def _guide_block(lab: Lab, jobs: JobClient, key: str) -> str:
    """The guide's block; with the keys where they stand in it, and where the store speaks TLS, with whom the lab's own settings trust."""
    store = lab.store
    keys = f'    access_key = "{store.access_key}"\n    secret_key = "{store.secret_key}"\n' if lab.topology.guide else ""
    block = GUIDE_BLOCK.format(bucket=store.bucket, key=key, url=store.url, keys=keys)
    if not store.secure:
        return block
    own = _saved(jobs.on(lab.runners[0], counted(key, fresh_value()), do.shell("saved", SAVED).tolerant())).get("config") or {}
    trusted = own.get("custom_ca_bundle")
    return block.replace("    use_lockfile", f'    custom_ca_bundle            = "{trusted}"\n    use_lockfile') if trusted else block


@when("a runner uses the backend block as the guide prints it", target_fixture="with_guide_block")
def use_guide_block(lab: Lab, jobs: JobClient, key: str) -> JobOutcome:
    block = _guide_block(lab, jobs, key)
    workspace = counted(key, fresh_value(), backend=block)
    return jobs.on(lab.runners[0], workspace, do.init_local(), do.apply())


@then("it can apply a change")
def check_guide_block_applies(with_guide_block: JobOutcome) -> None:
    assert with_guide_block.ok, f"expected the guide's backend block to work; observed:\n{with_guide_block}"


@then("OpenTofu itself says what replaces each of its outdated arguments")
def check_outdated(lab: Lab, jobs: JobClient, key: str, measure: Callable[..., object]) -> None:
    """OpenTofu warns of none of them (1.12.6), but refuses the old and the new form together, naming both."""
    block = _guide_block(lab, jobs, key)
    for old, new in NEW_FORM.items():
        both = block.replace("    use_lockfile", f"    {new.format(url=lab.store.url)}\n    use_lockfile")
        outcome = jobs.on(lab.runners[0], counted(key, fresh_value(), backend=both), do.init_local())
        said = " ".join(outcome.step("init").output.replace("│", " ").split())
        assert not outcome.ok, f"expected {old} and {OUTDATED[old]} together to be refused; observed that both were accepted"
        for name in (old, OUTDATED[old]):
            assert name in said, f"expected the refusal to name {name}; observed:\n{said}"
    measure(
        "outdated arguments in the guide's block",
        len(NEW_FORM),
        "arguments",
        replace=", ".join(f"{old} by {OUTDATED[old]}" for old in NEW_FORM),
    )
