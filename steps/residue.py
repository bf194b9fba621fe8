"""Sentences about what stays on a runner, and about what a pipeline is given."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pytest_bdd import then, when

from model.lab import Lab
from probes import job_steps as do
from probes.jobs import JobClient
from probes.openssh import pipeline_client
from probes.tofu import JobOutcome
from probes.workspace import counted, fresh_value
from steps.backend import SAVED

FIND_STATE = (
    "find / /tmp /var/tmp /home /root -xdev \\( -name .terraform -o -path /proc -o -path /sys \\) -prune -o "
    "-type f \\( -name '*.tfstate' -o -name '*.tfstate.*' \\) -print 2>/dev/null | sort -u"
)
"""All file systems that a job can write to; `errored.tfstate` and backups are among the names."""
FIND_KEY = (
    "secret=$(sed -n 's/^aws_secret_access_key *= *//p' \"$AWS_SHARED_CREDENTIALS_FILE\"); "
    'test -n "$secret" || { echo no secret to look for; exit 2; }; grep -r -l -F -e "$secret" .terraform'
)
"""0: found; 1: not found; 2: nothing to look for. The secret itself never leaves the runner."""

BROKEN = 'resource "terraform_data" "broken" {\n  provisioner "local-exec" {\n    command = "exit 7"\n  }\n}\n'
TRIES_EACH = 4


@dataclass(frozen=True)
class Done:
    """Jobs that were done on one runner: one that succeeds and one that fails."""

    runner: str
    good: JobOutcome
    failed: JobOutcome


@when("every runner has done a job that succeeds and one that fails", target_fixture="done")
def do_jobs(lab: Lab, jobs: JobClient, key: str) -> list[Done]:
    done = []
    for runner in lab.runners:
        good = jobs.on(runner, counted(key, fresh_value()), do.apply(), do.shell("saved", SAVED), _look_for_secret())
        failed = jobs.on(runner, counted(f"{key}.broken", fresh_value()).with_files({"broken.tf": BROKEN}), do.apply())
        done.append(Done(runner.name, good, failed))
    return done


def _look_for_secret() -> do.Step:
    return do.shell("secret", FIND_KEY).tolerant()


@then("no file that holds state is left on any runner")
def check_no_files(lab: Lab, done: list[Done]) -> None:
    for each in done:
        assert each.good.ok, f"expected a job on {each.runner} to succeed; observed:\n{each.good}"
        assert not each.failed.ok, f"expected the broken job on {each.runner} to fail; observed that it succeeded"
    for runner in lab.runners:
        found = runner.run(FIND_STATE).stdout.split()
        assert not found, f"expected no file that holds state on {runner.name}; observed {', '.join(found)}"


@then("what a job keeps about its backend holds no resources and no secret")
def check_saved(done: list[Done]) -> None:
    for each in done:
        saved = json.loads(each.good.step("saved").stdout)
        resources = [entry for module in saved.get("modules") or () for entry in module.get("resources") or ()]
        resources += saved.get("resources") or ()
        assert not resources, f"expected no resources in .terraform on {each.runner}; observed {resources}"
        looked = each.good.step("secret")
        assert looked.exit_status == 1, f"expected the runner's secret not to be in .terraform on {each.runner}; observed: {looked.output}"


@when("everything is read that the lab publishes for pipelines", target_fixture="published")
def read_published(lab: Lab) -> str:
    fleet = lab.fleet
    return "\n".join([str(fleet.endpoint), fleet.user, fleet.published.known_hosts])


@then("neither the address nor the name of any runner occurs in it")
def check_published(lab: Lab, published: str) -> None:
    for runner in lab.runners:
        for word in (runner.address, runner.name):
            assert word not in published, (
                f"expected nothing about {runner.name} in what pipelines are given; observed {word} in:\n{published}"
            )


@then("the one address is enough to reach every runner")
def check_reaches_all(lab: Lab) -> None:
    client = pipeline_client(lab)
    outcomes = [client.run("hostname") for _ in range(TRIES_EACH * len(lab.runners))]
    for outcome in outcomes:
        assert outcome.ok, f"expected every connection to {lab.fleet.endpoint} to be answered; observed {outcome}"
    names = {outcome.stdout.strip() for outcome in outcomes}
    expected = {runner.name for runner in lab.runners}
    assert names == expected, f"expected to reach {sorted(expected)}; observed {sorted(names)}"
