"""Looks at a whole lab: machines without power, settings that are not those that run, traces, and jobs at a starting line."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest

from model.errors import AcceptanceError, ControlChannelLost, PromiseBroken
from model.lab import CommandResult, Lab
from probes.answers import Answer, StoreError
from probes.haproxy_config import read_running_configuration
from probes.job_steps import MARK
from probes.power import expect_power
from probes.snapshots import ObjectVersion
from probes.starting_line import StartingLine
from probes.tofu import RunningJob
from probes.traces import look_for_traces
from tests.unit.probes_more.stand_ins import STORE, Said, Shelf

OK = CommandResult("sh", 0, "", "")
CONFIGURATION = "listen fleet\n    server runner01 10.1.0.103:22 check inter 2s\n"


class Off(Said):
    """Without power."""

    def is_on(self) -> bool:
        return False


class Untold(Said):
    """Nobody knows whether it has power."""

    def is_on(self) -> bool:
        raise ControlChannelLost("the hypervisor does not answer")


def test_a_machine_without_power_is_a_broken_promise() -> None:
    expect_power([Said("runner01", OK)])
    with pytest.raises(PromiseBroken, match=r"expected runner02 \(10\.1\.0\.103\) to be on; observed that it is off"):
        expect_power([Said("runner01", OK), Off("runner02", OK)])


@pytest.mark.parametrize("times", ["100 100", "90 100", "102 100"])
def test_settings_are_those_of_the_process_that_runs(times: str) -> None:
    pools = read_running_configuration(Said("balancer01", CommandResult("sh", 0, f"{times}\n{CONFIGURATION}", "")))
    assert list(pools["fleet"].servers) == ["runner01"]


def test_a_file_that_was_changed_after_the_start_tells_nothing() -> None:
    with pytest.raises(AcceptanceError, match="balancer01 was started before its configuration file was last changed"):
        read_running_configuration(Said("balancer01", CommandResult("sh", 0, f"103 100\n{CONFIGURATION}", "")))


@pytest.mark.parametrize(
    "result",
    [
        CommandResult("sh", 1, f"100 100\n{CONFIGURATION}", "no such file"),
        *(CommandResult("sh", 0, f"{times}\n{CONFIGURATION}", "no such file") for times in ("", "100", "100 100 100", "100 x", "y 100")),
    ],
)
def test_settings_that_cannot_be_read(result: CommandResult) -> None:
    with pytest.raises(AcceptanceError, match=r"the configuration of HAProxy on balancer01 cannot be read: [^$]*no such file"):
        read_running_configuration(Said("balancer01", result))


class Versions(Shelf):
    """A store that lists what a test says, or refuses."""

    def versions(self, prefix: str) -> Answer[tuple[ObjectVersion, ...]]:
        return self.objects(prefix)


def test_traces_are_those_of_ours_of_others_where_that_is_permitted_and_of_each_machine(lab: Lab) -> None:
    lab.machines.update(
        {
            "runner01": Said("runner01", OK),
            "runner02": Off("runner02", ControlChannelLost("it is off")),
            "runner03": Untold("runner03", OK, frozenset()),
        }
    )
    own = f"{STORE.own}run/a"
    store = Versions({own: b"1", "network": b"2"})
    seen = look_for_traces(lab, store, others=True)
    assert ({each.key for each in seen.objects or ()}, {each.key for each in seen.others or ()}) == ({own}, {"network"})
    assert [(each.power, each.unseen) for each in seen.machines.values()] == [
        (True, "it did not say all: ''"),
        (False, "it is off"),
        (None, "nobody can run commands on it"),
    ]
    alone = look_for_traces(lab, store, others=False)
    assert ({each.key for each in alone.objects or ()}, alone.others) == ({own}, None)
    refused = look_for_traces(lab, Versions({}, StoreError("AccessDenied", 403)), others=True)
    assert (refused.objects, refused.others) == (None, None)


def test_a_machine_is_asked_for_what_is_ours(lab: Lab) -> None:
    machine = Said("runner01", OK)
    lab.machines["runner01"] = machine
    look_for_traces(lab, Versions({}), others=False)
    packed = re.search(r"echo (\S+) \| base64 -d \| sh", machine.asked[0])
    assert packed
    script = base64.b64decode(packed[1]).decode()
    assert MARK in script
    assert lab.backend_settings in script
    assert not re.search("@(MARKS?|TIMER|BACKEND)@", script)


def test_jobs_wait_at_a_line_until_all_have_come_and_go_together() -> None:
    line = StartingLine()
    runners = [Said(name, OK) for name in ("runner01", "runner02")]
    command = line.step.command
    (flag,) = set(re.findall(r"/tmp/starting-line-\w{16}", command))
    assert "[ $i -le 6000 ] || exit 3; sleep 0.02" in command
    assert StartingLine().step.command != command
    line.send_off(list(runners))
    line.clear(list(runners))
    assert [runner.asked for runner in runners] == [[f"touch {flag}", f"rm -f {flag}"]] * 2


def test_a_job_that_does_not_come_to_the_line_is_told_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    line, asked = StartingLine(), list[tuple[str, float]]()

    def waits(job: RunningJob, text: str, within: timedelta) -> bool:
        asked.append((text, within.total_seconds()))
        return "READY" in job.output_so_far()

    monkeypatch.setattr(RunningJob, "wait_for_output", waits)
    monkeypatch.setattr(RunningJob, "output_so_far", lambda job: job.said)
    here, lost = RunningJob.__new__(RunningJob), RunningJob.__new__(RunningJob)
    object.__setattr__(here, "said", "READY")
    object.__setattr__(lost, "said", "x" * 2000 + "no such program")
    line.await_ready([here])
    with pytest.raises(AcceptanceError, match=r"^a job did not come to the starting line: x{985}no such program$"):
        line.await_ready([here, lost])
    assert {seconds for _, seconds in asked} == {60.0}
    assert all(re.fullmatch(r"READY-\w{16}", text) for text, _ in asked)
