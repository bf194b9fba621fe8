"""Both SSH clients against a real shell behind a stand-in server, and against addresses that do not serve."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import paramiko
import pytest

from model.errors import LabUnavailable, ToolMissing
from model.lab import CommandResult
from model.topology import Address
from probes import ssh
from probes.handshake import open_link
from probes.openssh import OpenSshCommand, PipelineClient, classify
from probes.outcomes import Channel, Reached, SshOutcome
from probes.ssh import Login
from probes.ssh_command import SshCommand

SHORT = timedelta(seconds=1)
LONG = timedelta(seconds=10)


@pytest.fixture(params=["paramiko", "openssh"])
def channel(request: pytest.FixtureRequest, login: Login) -> Channel:
    """The same promises hold for both clients."""
    return login if request.param == "paramiko" else pipeline(login)


def pipeline(login: Login) -> PipelineClient:
    lines = "".join(f"[{login.address.host}]:{login.address.port} {key}\n" for key in login.host_keys)
    return PipelineClient(login.address, login.user, login.private_key, lines)


def at(channel: Channel, address: Address) -> Channel:
    assert isinstance(channel, Login | PipelineClient)
    return replace(channel, address=address)


def run(channel: Channel, command: str, stdin: bytes | None = None, within: timedelta = LONG, connect: timedelta = LONG) -> SshOutcome:
    with channel.start(command, stdin=stdin, connect_within=connect) as running:
        return running.finish(within)


def test_a_command_is_answered_with_both_streams(channel: Channel) -> None:
    outcome = run(channel, "echo out; echo err >&2; exit 3")
    assert outcome.reached is Reached.ANSWERED
    assert outcome.result is not None
    assert (outcome.exit_status, outcome.stdout, outcome.result.stderr) == (3, "out\n", "err\n")
    assert not outcome.ok
    assert timedelta() < outcome.connect_duration < 3 * LONG
    assert timedelta() < outcome.result.duration < 3 * LONG
    assert outcome.host_key.startswith("ssh-ed25519 ")


def test_exit_status_255_of_the_command_is_its_own(channel: Channel) -> None:
    outcome = run(channel, "exit 255")
    assert (outcome.reached, outcome.exit_status) == (Reached.ANSWERED, 255)


def test_five_megabytes_arrive_on_either_stream(channel: Channel) -> None:
    outcome = run(channel, "head -c 5000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2", within=2 * LONG)
    assert outcome.result is not None, outcome
    assert outcome.stdout == "x" * 5_000_000
    assert outcome.result.stderr == "y" * 3_000_000


def test_standard_input_arrives_and_need_not_be_read(channel: Channel) -> None:
    content = b"0123456789" * 100_000
    assert run(channel, "wc -c", stdin=content, within=2 * LONG).stdout.strip() == "1000000"
    assert run(channel, "true", stdin=content).ok


def test_a_refused_connection(channel: Channel, refused: Address) -> None:
    assert run(at(channel, refused), "true").reached is Reached.REFUSED


def test_silence_is_told_within_the_deadline(channel: Channel, silent: Address) -> None:
    started = time.monotonic()
    assert run(at(channel, silent), "true", connect=SHORT).reached is Reached.SILENT
    assert time.monotonic() - started < 8


def test_a_reset_connection(channel: Channel, resetting: Address) -> None:
    assert run(at(channel, resetting), "true").reached is Reached.RESET


def test_a_stranger_is_not_talked_to(login: Login, keys: tuple[Path, Path]) -> None:
    other = keys[0].with_suffix(".pub").read_text().split()
    outcome = ssh.run(replace(login, host_keys=frozenset({" ".join(other[:2])})), "true")
    assert outcome.reached is Reached.STRANGER
    assert {outcome.host_key} == login.host_keys
    assert run(replace(pipeline(login), known_hosts=""), "true").reached is Reached.STRANGER


def test_a_wrong_user_is_not_let_in(login: Login) -> None:
    assert ssh.run(replace(login, user="somebody"), "true").reached is Reached.NOT_LET_IN
    assert run(replace(pipeline(login), user="somebody"), "true").reached is Reached.NOT_LET_IN


def test_a_lost_session_is_no_result(channel: Channel) -> None:
    outcome = run(channel, "vanish")
    assert (outcome.reached, outcome.result) == (Reached.LOST, None)
    assert "half an ans" in outcome.so_far


def test_why_a_session_has_no_result(login: Login) -> None:
    lost = run(login, "vanish")
    assert lost.reached is Reached.LOST
    assert lost.detail.startswith("the session was lost: ")
    mute = run(login, "mute")
    assert (mute.reached, mute.result, mute.detail) == (Reached.LOST, None, "the command ended without an exit status")


def test_a_command_that_cannot_be_started_is_a_lost_session() -> None:
    class Unwilling:
        open = True

        def open_session(self, timeout: float) -> paramiko.Channel:
            del timeout
            msg = "no more sessions"
            raise paramiko.SSHException(msg)

        def close(self) -> None:
            self.open = False

    unwilling = Unwilling()
    moment = timedelta(seconds=1)
    running = SshCommand(cast("paramiko.Transport", unwilling), "true", None, "a key", moment, "runner01")
    assert running.ended
    outcome = running.finish(LONG)
    assert (outcome.reached, outcome.host_key, outcome.connect_duration) == (Reached.LOST, "a key", moment)
    assert outcome.detail == "the command could not be started: SSHException('no more sessions')"
    assert not unwilling.open


def test_a_late_command_is_given_up(channel: Channel) -> None:
    started = time.monotonic()
    outcome = run(channel, "echo begun; exec sleep 20", within=SHORT)
    assert outcome.reached is Reached.LATE
    assert "begun" in outcome.so_far
    assert time.monotonic() - started < 15


def test_one_deadline_is_for_all_of_it(login: Login) -> None:
    for run_within in (partial(ssh.run, login), pipeline(login).run):
        assert run_within("echo one", deadline=LONG).stdout == "one\n"
        assert run_within("exec sleep 20", deadline=SHORT).reached is Reached.LATE


def test_output_that_does_not_come_is_not_waited_for_longer_than_asked(channel: Channel) -> None:
    with channel.start("exec sleep 20") as running:
        assert not running.wait_for_output("never", timedelta(milliseconds=200))
        assert not running.ended


def test_what_openssh_is_told_and_what_is_left_of_it(login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client = pipeline(login)
    assert "ConnectTimeout=1" in client.arguments(tmp_path, timedelta(milliseconds=200))
    assert "ConnectTimeout=7" in client.arguments(tmp_path, timedelta(seconds=7))
    assert client.known_hosts not in repr(client)
    with client.start("exec sleep 20") as running:
        assert isinstance(running, OpenSshCommand)
        assert os.getsid(running._process.pid) == running._process.pid
        assert list(tmp_path.glob("pipeline-*"))
    assert not list(tmp_path.glob("pipeline-*"))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ToolMissing, match="apt-get install openssh-client") as missing:
        client.start("true")
    assert not list(tmp_path.glob("pipeline-*")), missing


def test_openssh_s_own_words_are_told(login: Login, refused: Address) -> None:
    assert "Connection refused" in run(at(pipeline(login), refused), "true").detail


def test_output_can_be_awaited_while_the_command_runs(channel: Channel) -> None:
    with channel.start("echo one; read -r line; echo $line", stdin=None) as running:
        assert running.wait_for_output("one", LONG)
        assert running.finish(LONG).exit_status == 0


def test_awaiting_ends_with_the_command(channel: Channel) -> None:
    started = time.monotonic()
    with channel.start("echo one") as running:
        assert not running.wait_for_output("two", LONG)
        first = running.finish(LONG)
        assert running.finish(LONG) is first
    assert time.monotonic() - started < 9


def test_a_login_that_failed_has_nothing_to_await(login: Login, refused: Address) -> None:
    with replace(login, address=refused).start("true") as running:
        assert not running.wait_for_output("x", LONG)
        assert running.finish(LONG).reached is Reached.REFUSED
        assert running.ended


def test_an_outcome_in_one_line() -> None:
    moment = timedelta(seconds=1.5)
    assert str(SshOutcome(Reached.SILENT, connect_duration=moment)) == "silent after 1.5 s"
    assert str(SshOutcome(Reached.REFUSED, connect_duration=moment, detail="no")) == "refused after 1.5 s: no"
    long = "begin" + "-" * 3000 + "end"
    for told in (
        str(SshOutcome(Reached.LATE, connect_duration=moment, detail="too late", so_far=long)),
        str(SshOutcome(Reached.ANSWERED, CommandResult("x", 3, long, "", moment, "here"), connect_duration=moment)),
    ):
        assert told.endswith("-end")
        assert "begin" not in told
        assert 2000 < len(told) < 2100


def test_knocking_tells_the_banner(login: Login, silent: Address) -> None:
    seen = ssh.knock(login.address)
    assert seen.detail.startswith("SSH-2.0-")
    assert timedelta() < seen.connect_duration < LONG
    began = time.monotonic()
    not_seen = ssh.knock(silent, timedelta(milliseconds=200))
    assert not_seen.reached is Reached.SILENT
    assert timedelta(milliseconds=150) < not_seen.connect_duration <= timedelta(seconds=time.monotonic() - began)


def test_a_session_stays_until_it_is_closed(login: Login) -> None:
    session = ssh.connect(login)
    assert not isinstance(session, SshOutcome), session
    assert session.alive
    assert {session.host_key} == login.host_keys
    assert timedelta() < session.connect_duration < LONG
    assert str(login.host_keys) not in repr(login)
    session.close()
    assert not session.alive


def test_a_login_that_is_interrupted_leaves_no_connection(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []

    def noted(address: Address, ends: float) -> socket.socket:
        opened.append(open_link(address, ends))
        return opened[0]

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ssh, "open_link", noted)
    for step in ("authenticate", "exchange_keys", "await_banner"):
        opened.clear()
        monkeypatch.setattr(ssh, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            ssh.connect(login)
        assert [each.fileno() for each in opened] == [-1], step


def test_a_missing_private_key_is_ours_to_repair(login: Login, tmp_path: Path) -> None:
    with pytest.raises(LabUnavailable, match="cannot be read"):
        ssh.connect(replace(login, private_key=tmp_path / "none"))


@pytest.mark.parametrize(
    ("words", "reached"),
    [
        ("ssh: connect to host 10.1.0.102 port 9000: Connection refused", Reached.REFUSED),
        ("ssh: connect to host 10.1.0.102 port 9000: No route to host", Reached.UNREACHABLE),
        ("Connection timed out during banner exchange\nConnection to 10.1.0.102 port 9000 timed out", Reached.SILENT),
        ("ssh: connect to host 10.1.0.102 port 9000: Connection timed out", Reached.SILENT),
        ("kex_exchange_identification: Connection closed by remote host", Reached.RESET),
        ("kex_exchange_identification: read: Connection reset by peer", Reached.RESET),
        ("Host key verification failed.", Reached.STRANGER),
        ("tofu@10.1.0.102: Permission denied (publickey).", Reached.NOT_LET_IN),
        ('Authenticated to 10.1.0.102 using "publickey".\nTimeout, server 10.1.0.102 not responding.', Reached.LOST),
        ("debug1: nothing of interest", Reached.RESET),
    ],
)
def test_words_of_openssh(words: str, reached: Reached) -> None:
    assert classify(words) is reached
