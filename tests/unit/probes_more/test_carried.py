"""A connection that another command carries: what it said when it ended tells how far it came, and no process stays."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import closing

import pytest

from model.topology import Address
from probes import carried
from probes.carried import NotCarried, end, open_carried
from probes.outcomes import Reached

SOON = 10.0


def through(script: str) -> Address:
    return Address("10.1.0.103", 22, through=("sh", "-c", script))


def test_what_the_other_side_says_first_is_still_there_to_be_read() -> None:
    with closing(open_carried(through("printf SSH-2.0-x; exec cat"), time.monotonic() + SOON)) as link:
        assert link.recv(9) == b"SSH-2.0-x"
        link.sendall(b"!")
        assert link.recv(2) == b"!"
        carrier = link.carrier
        assert carrier.poll() is None
        assert os.getsid(carrier.pid) == carrier.pid
    assert carrier.poll() is not None
    assert carrier.stderr is not None
    assert carrier.stderr.closed


@pytest.mark.parametrize(
    ("script", "reached", "detail"),
    [
        ("echo 'connect to host: Connection refused' >&2; exit 255", Reached.REFUSED, "connect to host: Connection refused"),
        ("echo 'No route to host' >&2; exit 255", Reached.UNREACHABLE, "No route to host"),
        ("echo 'Network is unreachable' >&2; exit 255", Reached.UNREACHABLE, "Network is unreachable"),
        ("echo 'Connection timed out' >&2; exit 255", Reached.SILENT, "Connection timed out"),
        ("echo 'something else' >&2; exit 255", Reached.RESET, "something else"),
        ("exit 0", Reached.RESET, "closed before anything was said"),
    ],
)
def test_a_connection_that_did_not_come_about(script: str, reached: Reached, detail: str) -> None:
    with pytest.raises(NotCarried) as missed:
        open_carried(through(script), time.monotonic() + SOON)
    assert (missed.value.reached, missed.value.detail) == (reached, detail)


def test_a_carrier_that_closed_its_side_and_goes_on_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried, "ENDS_SECONDS", 0.1)
    with pytest.raises(NotCarried) as missed:
        open_carried(through("echo wrong >&2; exec sleep 60 <&- >&-"), time.monotonic() + SOON)
    assert (missed.value.reached, missed.value.detail) == (Reached.RESET, "closed before anything was said")


@pytest.mark.parametrize("left", [0.2, -1.0])
def test_a_side_that_says_nothing_is_silent_and_its_carrier_is_ended(monkeypatch: pytest.MonkeyPatch, left: float) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def noted(carrier: subprocess.Popen[bytes]) -> None:
        started.append(carrier)
        end(carrier)

    monkeypatch.setattr(carried, "end", noted)
    with pytest.raises(NotCarried, match="nothing was said on the connection that the jump host carries") as missed:
        open_carried(through("exec sleep 60"), time.monotonic() + left)
    assert missed.value.reached is Reached.SILENT
    assert [carrier.returncode for carrier in started] == [-15]


def test_a_carrier_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried, "ENDS_SECONDS", 0.2)
    carrier = subprocess.Popen(["sh", "-c", "trap '' TERM; echo on; while :; do sleep 0.05; done"], stdout=subprocess.PIPE)
    with carrier:
        assert carrier.stdout is not None
        assert carrier.stdout.readline() == b"on\n"
        end(carrier)
        assert carrier.returncode == -9
    end(carrier)
