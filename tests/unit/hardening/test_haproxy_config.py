"""The balancer's settings and the times that follow from them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model.errors import AcceptanceError, Unreadable
from probes.haproxy_config import Checking, Proxy, parse_configuration, parse_time

GUIDE = """
defaults
    timeout connect 5000
    timeout client 50000
    timeout server 50000

listen tofu_runner_fleet
    bind 0.0.0.0:9000
    server runner01 10.1.0.103:22 check port 22 inter 5s rise 2 fall 3
    server runner02 10.1.0.104:22
listen stats
    bind *:8404
"""

REFERENCE = """
defaults
    timeout connect 1s # a second
    timeout client 50s
    timeout tunnel 12h
frontend other
    timeout connect 9s
listen fleet
    default-server check inter 2s fastinter 500ms downinter 1s rise 2 fall 3
    server runner01 10.1.0.103:22
    server runner02 10.1.0.104:22 no-check
"""


def test_times_of_the_guide_s_settings() -> None:
    pool = parse_configuration(GUIDE)["tofu_runner_fleet"]
    assert pool.detection("runner01", silent=True) == timedelta(seconds=5 + 3 * 5 + 2 * 5)
    assert pool.detection("runner01", silent=False) == timedelta(seconds=15)
    assert pool.recovery("runner01") == timedelta(seconds=5 + 5 + 5)
    assert pool.idle_limit == timedelta(seconds=50)


def test_times_of_the_reference_settings() -> None:
    pool = parse_configuration(REFERENCE)["fleet"]
    assert pool.detection("runner01", silent=True) == timedelta(seconds=2 + 3 * 1 + 2 * 0.5)
    assert pool.detection("runner01", silent=False) == timedelta(seconds=3)
    assert pool.recovery("runner01") == timedelta(seconds=1 + 1 + 0.5)
    assert pool.idle_limit == timedelta(hours=12)


@pytest.mark.parametrize(("text", "pool", "server"), [(GUIDE, "tofu_runner_fleet", "runner02"), (REFERENCE, "fleet", "runner02")])
def test_a_server_without_checks_has_no_detection_time(text: str, pool: str, server: str) -> None:
    with pytest.raises(AcceptanceError, match=server):
        parse_configuration(text)[pool].detection(server, silent=True)


def test_settings_of_one_proxy_do_not_leak_into_the_next() -> None:
    assert parse_configuration(REFERENCE)["fleet"].timeouts["connect"] == timedelta(seconds=1)


@pytest.mark.parametrize(("text", "seconds"), [("5000", 5), ("500ms", 0.5), ("12h", 43200), ("250us", 0.00025), ("2m", 120), ("1d", 86400)])
def test_times_as_haproxy_writes_them(text: str, seconds: float) -> None:
    assert parse_time(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "s", "-5s", "5 s", "5w", "1.5s"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        parse_time(text)


def test_where_nothing_is_said_haproxy_s_own_times_hold() -> None:
    pool = parse_configuration("listen fleet\n    server runner01 10.1.0.103:22 check\n")["fleet"]
    assert pool.servers == {"runner01": Checking()}
    two = timedelta(seconds=2)
    assert pool.servers["runner01"] == Checking(inter=two, fastinter=two, downinter=two, rise=2, fall=3)


def test_what_stands_in_a_remark_is_no_setting() -> None:
    pool = parse_configuration("listen fleet\n    server runner01 10.1.0.103:22 # check, later\n")["fleet"]
    assert pool.servers == {"runner01": None}


def test_a_proxy_may_have_the_name_of_a_section() -> None:
    found = parse_configuration("listen defaults\n    timeout client 9s\nlisten other\n    bind :1\n")
    assert found["defaults"].timeouts == {"client": timedelta(seconds=9)}
    assert found["other"].timeouts == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("listen\n", "line 1 of HAProxy's configuration, 'listen': listen wants 1 words at least"),
        ("listen x\n  server a\n", "line 2 of HAProxy's configuration, 'server a': server wants 2 words at least"),
        ("defaults\n  timeout client\n", "line 2 of HAProxy's configuration, 'timeout client': timeout wants 2 words at least"),
        ("listen x\n  bind :1", "the last line of HAProxy's configuration has no end: '  bind :1'"),
        ("defaults\n  timeout client 999999999999d\n", "line 2 of HAProxy's configuration, .*'999999999999d' is too long a time"),
        (f"defaults\n  timeout client {'x' * 100}\n", f"'{'x' * 80}' is no time of HAProxy"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        parse_configuration(text)


def test_a_server_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(AcceptanceError, match=r"fleet does not check a server runner09; its servers: runner01, runner02$"):
        parse_configuration(REFERENCE)["fleet"].recovery("runner09")
    with pytest.raises(AcceptanceError, match=r"empty does not check a server runner09; its servers: none$"):
        Proxy("empty").recovery("runner09")
