"""What commands on machines print (`ip`, `ss`, `ps`, `systemctl`, `nft`, `mc`), damaged: right, or an error of ours."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.units import listening_ports, process_states
from model.lab import COMMAND_DEADLINE, CommandResult
from model.topology import MachineSpec, Role
from probes.condition import addresses_of
from probes.drives import drive_of, has_version
from probes.in_use import Use, read_strangers
from probes.json_objects import read_lines
from probes.leftovers import compare
from probes.traces import MachineTraces, Traces, read_traces
from tests.unit.properties.damage import WORDS, cut, damaged, interleaved, read_or_refused, shuffled
from tests.unit.stand_in import StandIn

VERSION = "9c69b28a-1242-4ed4-8a77-b4390b25f75c"
IP = "lo               UNKNOWN        127.0.0.1/8\nhost0@if12       UP             10.1.0.21/24 10.1.0.102/24\neth1 DOWN\n"
PS = (
    "    1 Ss   init.scope 0\n   38 Ss   ssh.service 1\n   77 Sl   minio.service 1\n   78 T    minio.service 77\n  104 Ss   - 38\n77\n104\n"
)
SS = (
    'LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=38,fd=3))\n'
    'LISTEN 0      4096               *:9000            *:*    users:(("minio",pid=77,fd=7))\n'
    'LISTEN 0      4096   10.1.0.103:9001      0.0.0.0:*    users:(("minio",pid=77,fd=9))\n'
    'LISTEN 0      4096            [::]:9002         [::]:*    users:(("tmux: server",pid=9,fd=5),("minio",pid=78,fd=9))\n'
)
STRANGERS = (
    "tofu\t411\t12\tpipeline\t/tmp/pipeline-abc/work\n"
    "session\t502\t7\tadmin from 10.0.0.9\tvim main.tf\n"
    "session\t77\t90000\troot\tsleep 9\n"
)
TRACES = """@@ tables
table inet filter
@@ rules
0123
@@ files
@@ digests
/etc/haproxy/haproxy.cfg abc
@@ keys
ssh-ed25519 AAAA
@@ processes
@@ timers
@@ enabled
ssh.service enabled
haproxy.service enabled
@@ active
ssh.service active/running
haproxy.service active/running
@@ addresses
host0 10.1.0.21/24
@@ end
"""
MC = (
    '{"status":"success","type":"folder","key":"opentofu-state-storage/"}\n{"status":"success","type":"file","key":"a/terraform.tfstate"}\n'
)
NOISE = "bash: warning: setlocale: LC_ALL: cannot change locale (de_DE.UTF-8)\n"


class Saying(StandIn):
    """Prints what the test wants, whatever is run; by the beginning of the command."""

    def __init__(self, *, ok: bool = True, **says: str) -> None:
        """What it says by the first word of the command; whether commands succeed."""
        super().__init__(MachineSpec("runner01", "10.1.0.103", Role.RUNNER))
        self.says, self.ok = says, ok

    def run(self, command: str, *, timeout: timedelta = COMMAND_DEADLINE, stdin: bytes | None = None) -> CommandResult:
        said = next((text for begins, text in self.says.items() if command.startswith(begins)), "")
        return CommandResult(command, 0 if self.ok else 1, said, "")


def disordered(text: str) -> st.SearchStrategy[str]:
    """Cut, doubled, in another order, or with a warning in between: every word that is there is right."""
    return st.one_of(cut(text), shuffled(text), interleaved(text, NOISE), st.just(text + text), st.just(text.replace("\n", "\r\n")))


@given(disordered(IP))
def test_addresses_are_those_of_the_machine(text: str) -> None:
    found = read_or_refused(lambda: addresses_of(Saying(ip=text)), "addresses of runner01")
    assert (found or frozenset()) <= {"127.0.0.1", "10.1.0.21", "10.1.0.102"}


@given(damaged(IP))
def test_any_list_of_addresses_is_read_or_refused(text: str) -> None:
    read_or_refused(lambda: addresses_of(Saying(ip=text)), "addresses of runner01")


@pytest.mark.parametrize("text", ["", NOISE, "host0 UP 10.1.0.21"])
def test_a_machine_that_does_not_list_its_own_loopback_has_not_told_all(text: str) -> None:
    assert read_or_refused(lambda: addresses_of(Saying(ip=text)), "addresses of runner01") is None


def test_a_command_that_failed_says_nothing_about_addresses() -> None:
    assert read_or_refused(lambda: addresses_of(Saying(ok=False, ip=IP)), "addresses of runner01") is None


@given(disordered(PS))
def test_processes_are_those_of_the_unit(text: str) -> None:
    found = read_or_refused(lambda: process_states(Saying(ps=text), "minio.service"), "ps")
    assert (found or {}).items() <= {"77": "S", "78": "T", "7": "S", "8": "T"}.items()  # a number may have lost its beginning


@given(damaged(PS), damaged(SS))
def test_any_list_of_processes_and_ports_is_read_or_refused(processes: str, ports: str) -> None:
    read_or_refused(lambda: listening_ports(Saying(ps=processes, ss=ports), "minio.service"), "s")


@given(st.one_of(cut(SS), shuffled(SS), interleaved(SS, NOISE), st.just(SS + SS)))
def test_ports_are_those_of_the_unit(text: str) -> None:
    found = read_or_refused(lambda: listening_ports(Saying(ps=PS, ss=text), "minio.service"), "ss")
    assert set(found or ()) <= {9000, 9001, 9002}


def test_ports_and_processes_of_the_whole_output() -> None:
    assert process_states(Saying(ps=PS), "minio.service") == {"77": "S", "78": "T"}
    assert listening_ports(Saying(ps=PS, ss=SS), "minio.service") == (9000, 9001, 9002)


@given(disordered(STRANGERS))
def test_strangers_are_those_who_are_there(text: str) -> None:
    found = read_or_refused(lambda: read_strangers("runner01", text), "runner01")
    whole = {(use.what, use.who) for use in read_strangers("runner01", STRANGERS)}
    assert {(use.what, use.who) for use in found or ()} <= whole


@given(st.lists(st.tuples(st.sampled_from(["tofu", "session"]), st.integers(1), st.integers(0, 10**8), WORDS, WORDS), max_size=3))
def test_strangers_are_read_as_they_were_written(rows: list[tuple[str, int, int, str, str]]) -> None:
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    found = read_strangers("runner01", text)
    assert [(use.who, use.where, use.doing) for use in found] == [
        (who, f"on runner01 (process {pid})", " ".join(doing.split())) for _, pid, _, who, doing in rows
    ]


@given(damaged(STRANGERS))
def test_any_list_of_strangers_is_read_or_refused(text: str) -> None:
    for use in read_or_refused(lambda: read_strangers("runner01", text), "runner01") or ():
        assert isinstance(use, Use)
        assert str(use)


@given(st.one_of(cut(TRACES), interleaved(TRACES, NOISE), st.just(TRACES + TRACES), st.just(TRACES.replace("\n", "\r\n"))))
def test_a_look_that_was_cut_blames_nobody(text: str) -> None:
    """What a machine did not say to its end is unseen, not gone."""
    before = Traces(frozenset(), None, {"runner01": read_traces(power=True, text=TRACES)})
    now = read_traces(power=True, text=text)
    after = Traces(frozenset(), None, {"runner01": now})
    found = compare(before, after)
    if not now.facts:
        assert found.left == (f"runner01 cannot be looked at any more: {now.unseen}",)
        assert now.unseen
    else:
        assert not any(" is gone" in each or "has lost" in each for each in found.left), found


@given(damaged(TRACES))
def test_any_look_can_be_compared(text: str) -> None:
    whole, now = read_traces(power=True, text=TRACES), read_traces(power=True, text=text)
    assert isinstance(now, MachineTraces)
    for first, second in ((whole, now), (now, whole)):
        looks = [Traces(frozenset(), None, {"runner01": each}) for each in (first, second)]
        assert str(compare(looks[0], looks[1], ["10.1.0.21"]))


@given(damaged("http://10.1.0.14:9000/mnt/minio-data\n") | st.sampled_from(["http://[10.1/x", "//[::", "\ufeff/mnt"]))
def test_a_drive_is_a_folder_or_refused(text: str) -> None:
    found = read_or_refused(lambda: drive_of(Saying(tr=text)), "drive of runner01")
    assert not found or found.startswith("/")


@given(damaged(base64.b64encode(b"XL2 1" + uuid.UUID(VERSION).bytes + b"rest").decode()))
def test_what_lies_on_a_drive_is_told_or_refused(text: str) -> None:
    machine = Saying(tr="/mnt/minio-data", base64=text)
    read_or_refused(lambda: has_version(machine, "states", "key", VERSION), "runner01")


@pytest.mark.parametrize("content", ["WEwy!", "é", "WEw", "\x00"])
def test_content_that_is_none_does_not_mean_that_a_version_is_missing(content: str) -> None:
    assert read_or_refused(lambda: has_version(Saying(tr="/mnt", base64=content), "states", "key", VERSION), "runner01") is None


@pytest.mark.parametrize("version", ["", "null", "not-a-version"])
def test_a_version_that_minio_does_not_write_is_refused(version: str) -> None:
    assert read_or_refused(lambda: has_version(Saying(tr="/mnt", base64=""), "states", "key", version), "version") is None


@given(disordered(MC))
def test_entries_of_mc_are_those_that_it_listed(text: str) -> None:
    whole = [json.loads(line) for line in MC.splitlines()]
    found = read_or_refused(lambda: read_lines(text, "mc"), "mc")
    assert all(entry in whole for entry in found or ())


@given(damaged(MC))
def test_any_output_of_mc_is_read_or_refused(text: str) -> None:
    assert all(isinstance(entry, dict) for entry in read_or_refused(lambda: read_lines(text, "mc"), "mc") or ())


def test_a_line_of_mc_that_was_cut_is_told() -> None:
    assert read_or_refused(lambda: read_lines(MC[:-9], "answer of mc"), "no answer of mc") is None
