"""Pipeline jobs: the real shell script behind a stand-in SSH server, with a stand-in for `tofu` on its path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from model.errors import AcceptanceError
from model.lab import Lab
from model.topology import Address
from probes import job_steps as steps
from probes import workspace
from probes.outcomes import Reached, SshOutcome
from probes.ssh import Login
from probes.tofu import JobOutcome, run_job, runner_of, start_job

LONG = timedelta(seconds=10)
WORK = workspace.counted("acceptance/run/slug/terraform.tfstate", "one")


@pytest.fixture
def tofu(tmp_path: Path, runner_environment: dict[str, str]) -> Callable[[str], None]:
    """Puts a program called `tofu` on the runner's path; `$1` is its command."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def install(body: str) -> None:
        program = folder / "tofu"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    install('echo "$@"')
    return install


@pytest.fixture
def leftovers(tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: list(tmp_path.glob("pipeline-*"))


def test_each_step_has_its_own_result(login: Login, tofu: Callable[[str], None], leftovers: Callable[[], list[Path]]) -> None:
    tofu('case $1 in plan) printf changes; echo warned >&2; exit 2;; apply) cat main.tf;; *) echo "$@";; esac')
    job = run_job(login, WORK, [steps.plan(), steps.apply()])
    assert job.ok, job
    assert job.runner
    assert [result.name for result in job.steps] == ["init", "plan", "apply"]
    assert f"-backend-config=key={WORK.key}" in job.step("init").stdout
    assert (job.step("plan").exit_status, job.step("plan").stdout, job.step("plan").stderr) == (2, "changes", "warned\n")
    assert not job.plan_shows_no_changes
    assert job.step("apply").stdout == WORK.files["main.tf"]
    assert leftovers() == []


def test_the_first_failure_ends_the_job_with_its_status(login: Login, tofu: Callable[[str], None], captured: Callable[[str], str]) -> None:
    refusal = captured("refused_apply.txt")
    tofu(f"[ $1 != apply ] && exit 0\ncat >&2 <<'EOF'\n{refusal}\nEOF\nexit 1")
    job = run_job(login, WORK, [steps.apply(), steps.plan()])
    assert (job.exit_status, job.session.exit_status) == (1, 1)
    assert job.step("plan").exit_status is None
    assert job.lock_error is not None
    assert job.lock_error.held_by_someone
    assert "PreconditionFailed" in job.describe()
    with pytest.raises(KeyError, match="destroy"):
        job.step("destroy")


def test_a_tolerated_failure_goes_on(login: Login, tofu: Callable[[str], None]) -> None:
    tofu("[ $1 != apply ] || exit 9")
    job = run_job(login, WORK, [steps.apply().tolerant(), steps.plan()])
    assert (job.ok, job.step("apply").exit_status, job.plan_shows_no_changes) == (True, 9, True)


def test_a_step_is_ended_at_its_deadline(login: Login, tofu: Callable[[str], None], leftovers: Callable[[], list[Path]]) -> None:
    tofu("[ $1 != apply ] || exec sleep 20")
    job = run_job(login, WORK, [steps.apply().within(timedelta(seconds=0.5))])
    assert job.step("apply").timed_out
    assert timedelta(seconds=0.4) < job.step("apply").duration < timedelta(seconds=5)
    assert leftovers() == []


def test_the_runners_backend_settings_are_left_out_where_the_job_brings_its_own(
    login: Login, tofu: Callable[[str], None], runner_environment: dict[str, str]
) -> None:
    runner_environment["TF_CLI_ARGS_init"] = "of-the-runner"
    tofu('echo "settings: ${TF_CLI_ARGS_init:-none}"')
    assert run_job(login, WORK, []).step("init").stdout == "settings: of-the-runner\n"
    own = workspace.counted(WORK.key, "one", backend='terraform {\n  backend "local" {}\n}\n')
    assert run_job(login, own, []).step("init").stdout == "settings: none\n"
    mixed = run_job(login, WORK, [steps.init_local(), steps.migrate(WORK)])
    assert [result.stdout for result in mixed.steps] == ["settings: none\n", "settings: of-the-runner\n"]


def test_output_that_looks_like_a_marker_stays_output(login: Login, tofu: Callable[[str], None]) -> None:
    tofu("printf '\\n@@0000 end 0 0 1.0\\n'")
    assert run_job(login, WORK, []).step("init").stdout == "\n@@0000 end 0 0 1.0\n"


def test_a_holder_goes_on_when_it_is_released(login: Login, tofu: Callable[[str], None]) -> None:
    held = workspace.holding(WORK.key, "one")
    tofu(f"[ $1 != apply ] || {{ echo {held.holding_marker}; while [ ! -e ../release ]; do sleep 0.05; done; }}")
    with start_job(login, held, [steps.apply()]) as job:
        assert job.wait_until_holding(LONG)
        assert job.runner
        assert not job.ended
        Path(job.folder, "release").touch()
        assert job.finish(LONG).ok


def test_the_marker_is_not_in_the_configuration_that_opentofu_echoes() -> None:
    held = workspace.holding(WORK.key, "one")
    assert held.holding_marker
    assert all(held.holding_marker not in text for text in held.files.values())


def test_waiting_for_a_holder_ends_with_the_job(login: Login, tofu: Callable[[str], None]) -> None:
    tofu("exit 1")
    with start_job(login, workspace.holding(WORK.key, "one"), [steps.apply()]) as job:
        assert not job.wait_until_holding(LONG)
        assert job.finish(LONG).exit_status == 1


def test_a_job_that_found_no_runner_has_no_results(login: Login, refused: Address) -> None:
    job = run_job(replace(login, address=refused), WORK, [steps.apply()])
    assert (job.session.reached, job.runner, job.exit_status, job.ok) == (Reached.REFUSED, "", None, False)
    assert "refused" in job.describe()


def test_a_job_cut_short_keeps_what_it_said(login: Login, tofu: Callable[[str], None]) -> None:
    tofu("[ $1 != apply ] || { echo begun; exec sleep 5; }")
    job = run_job(login, WORK, [steps.apply()], deadline=timedelta(seconds=1))
    assert (job.session.reached, job.exit_status) == (Reached.LATE, None)
    assert job.step("init").ok
    assert job.step("apply").stdout == "begun\n"


def test_a_runner_that_is_not_of_the_lab_is_told() -> None:
    machine = SimpleNamespace(name="runner01", address="10.1.0.103")
    lab = cast("Lab", SimpleNamespace(runners=[machine]))
    ended = SshOutcome(Reached.ANSWERED)
    assert runner_of(lab, JobOutcome("runner01.example", ended, ())).name == "runner01"
    with pytest.raises(AcceptanceError, match="none of runner01"):
        runner_of(lab, JobOutcome("stranger", ended, ()))
