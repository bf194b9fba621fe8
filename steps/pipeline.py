"""Sentences about a pipeline: OpenSSH in batch mode, which knows what the lab publishes for the endpoint and nothing else."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from model.errors import PromiseBroken
from model.lab import Lab
from probes import job_steps as do
from probes.jobs import JobClient
from probes.openssh import PipelineClient, pipeline_client
from probes.outcomes import SshOutcome
from probes.store import StoreProbe
from probes.tofu import JobOutcome
from probes.workspace import counted, fresh_value
from steps.state import serial_of

MEGABYTE = 10**6
OUTPUT_WITHIN = timedelta(seconds=60)


@dataclass
class Pipeline:
    """A pipeline and what it did.

    Attributes:
        client: OpenSSH, with a `known_hosts` of the published lines only.
        jobs: Outcomes of its jobs.
        serials: Serial of the state after each job.
        commands: Outcomes of plain commands, with the exit code each was told to end with.
        long_output: Outcome of the command with a long output, and that output's digest.
    """

    client: PipelineClient
    jobs: list[JobOutcome] = field(default_factory=list)
    serials: list[int] = field(default_factory=list)
    commands: list[tuple[int, SshOutcome]] = field(default_factory=list)
    long_output: tuple[SshOutcome, str] | None = None


@given("a pipeline that knows only what the lab publishes for the endpoint", target_fixture="pipeline")
def make_pipeline(lab: Lab) -> Pipeline:
    return Pipeline(pipeline_client(lab))


@when(parsers.parse("it runs a job {times:d} times, each of which changes the same state"))
def run_jobs(jobs: JobClient, store: StoreProbe, key: str, pipeline: Pipeline, times: int) -> None:
    for _ in range(times):
        outcome = jobs.finish(jobs.start(pipeline.client, counted(key, fresh_value()), do.apply()))
        pipeline.jobs.append(outcome)
        if not outcome.ok:
            raise PromiseBroken(f"expected job {len(pipeline.jobs)} of {times} to succeed; observed:\n{outcome}")
        pipeline.serials.append(serial_of(store, key))


@then("every job succeeds")
def check_jobs(pipeline: Pipeline) -> None:
    for outcome in pipeline.jobs:
        assert outcome.ok, f"expected every job to succeed; observed:\n{outcome}"


@then("more than one runner did the work")
def check_spread(pipeline: Pipeline) -> None:
    names = [outcome.runner for outcome in pipeline.jobs]
    assert len(set(names)) > 1, f"expected more than one runner to do {len(names)} jobs; observed only {names[0]}"


@then("the state has grown by exactly one serial for each job")
def check_growth(pipeline: Pipeline) -> None:
    expected = [pipeline.serials[0] + count for count in range(len(pipeline.serials))]
    assert pipeline.serials == expected, f"expected the serials {expected}; observed {pipeline.serials}"


@when(parsers.parse("it runs commands that end with the exit codes {codes}"))
def run_commands(pipeline: Pipeline, codes: str) -> None:
    wanted = [int(code) for code in re.findall(r"\d+", codes)]
    pipeline.commands = [(code, pipeline.client.run(f"exit {code}")) for code in wanted]


@then("it gets exactly these exit codes")
def check_codes(pipeline: Pipeline) -> None:
    for wanted, outcome in pipeline.commands:
        assert outcome.exit_status == wanted, f"expected exit code {wanted} from {pipeline.client.address}; observed {outcome}"


@when(parsers.parse("it runs a command that prints {megabytes:d} megabytes"))
def run_long_command(pipeline: Pipeline, megabytes: int) -> None:
    """Every line differs, so that lost, doubled and swapped parts show."""
    size = megabytes * MEGABYTE
    text = "".join(f"{number:09d}\n" for number in range(size // 10))
    command = f"seq -f %09.0f 0 {size // 10 - 1}"
    pipeline.long_output = (pipeline.client.run(command, deadline=OUTPUT_WITHIN), hashlib.sha256(text.encode()).hexdigest())


@then(parsers.parse("it receives exactly these {megabytes:d} megabytes"))
def check_long_output(pipeline: Pipeline, megabytes: int) -> None:
    assert pipeline.long_output is not None
    outcome, digest = pipeline.long_output
    size = megabytes * MEGABYTE
    told = f"{outcome.reached}, exit code {outcome.exit_status}: {outcome.detail}"
    assert outcome.ok, f"expected the command at {pipeline.client.address} to end with 0; observed {told}"
    assert len(outcome.stdout) == size, f"expected {size} bytes; observed {len(outcome.stdout)}"
    assert hashlib.sha256(outcome.stdout.encode()).hexdigest() == digest, (
        "expected the output as it was printed; observed another one of the same length"
    )


@then("nothing else was printed")
def check_unpolluted(pipeline: Pipeline) -> None:
    assert pipeline.long_output is not None
    result = pipeline.long_output[0].result
    said = result.stderr if result else ""
    assert not said, f"expected nothing on standard error; observed: {said[:500]}"
