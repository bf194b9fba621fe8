"""HAProxy's statistics, captured from a real page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from model.errors import Unreadable
from model.topology import Address
from probes import statistics
from probes.http import HttpLook, Web, look
from probes.statistics import ServerStatus, Statistics, parse_statistics, read_statistics

Captured = Callable[[str], str]


def test_servers_of_a_real_page(captured: Captured) -> None:
    servers = {server.name: server for server in parse_statistics(captured("statistics.csv"))}
    assert {name: server.status for name, server in servers.items()} == {
        "runner01": "UP",
        "runner02": "DOWN",
        "runner03": "DRAIN",
        "runner04": "no check",
        "runner05": "MAINT",
        "runner06": "DOWN",
    }
    assert {name for name, server in servers.items() if server.in_rotation} == {"runner01", "runner04"}
    first = servers["runner01"]
    assert (first.pool, first.check_status, first.sessions_total, first.sessions_current, first.chosen_total) == (
        "runners",
        "L4OK",
        1,
        1,
        1,
    )
    assert (first.weight, first.last_change_seconds, first.downtime_seconds) == (1, 3, 0)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("UP", True),
        ("UP 2/3", True),
        ("no check", True),
        ("DOWN", False),
        ("DOWN 1/2", False),
        ("DOWN (agent)", False),
        ("DRAIN", False),
        ("NOLB", False),
        ("MAINT", False),
        ("MAINT (via a/b)", False),
    ],
)
def test_who_gets_connections(raw: str, expected: bool) -> None:
    assert ServerStatus("runners", "runner01", raw_status=raw, weight=1).in_rotation is expected


def test_a_server_without_weight_gets_none() -> None:
    assert not ServerStatus("runners", "runner01", raw_status="UP", weight=0).in_rotation


def test_a_server_of_two_pools_and_one_of_none(captured: Captured) -> None:
    statistics = Statistics(HttpLook("u", Web.ANSWERED, 200), parse_statistics(captured("statistics.csv")))
    assert statistics.available
    assert statistics.in_rotation("runner01")
    assert not statistics.in_rotation("runner99")
    assert statistics.pool_of("runner02") == "runners"
    assert set(statistics.in_pool("runners")) == {f"runner{number:02}" for number in range(1, 7)}


def test_a_page_that_is_no_csv_has_no_servers() -> None:
    assert parse_statistics("<html>503</html>") == ()


def test_a_balancer_that_is_gone_is_an_answer(refused: Address) -> None:
    statistics = read_statistics(refused)
    assert not statistics.available
    assert statistics.look.reached is Web.REFUSED
    assert "refused" in str(statistics)


def test_looks_at_what_does_not_serve(silent: Address, resetting: Address) -> None:
    assert look(f"http://{silent}/", within=timedelta(milliseconds=300)).reached is Web.SILENT
    assert look(f"http://{resetting}/").reached is Web.RESET


def test_a_page_that_came_is_read_and_one_that_is_damaged_is_told(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    text = captured("statistics.csv")

    def told(body: str, status: int = 200) -> Statistics:
        monkeypatch.setattr(statistics, "look", lambda url, within: HttpLook(url, Web.ANSWERED, status, body=body))
        return read_statistics(Address("10.1.0.21", 8404))

    assert told(text).available
    assert str(told(text)).startswith("runners/runner01 UP (L4OK), runners/runner02 DOWN (L4CON)")
    assert "runners/runner04 no check (no check yet)" in str(told(text))
    cut = told(text[: text.index("runners,BACKEND")])
    assert (cut.available, cut.servers) == (False, ())
    assert str(cut) == "http://10.1.0.21:8404/stats;csv: HAProxy's statistics were cut: no row sums up runners"
    refused = told(text, status=401)
    assert (refused.available, refused.servers, refused.unreadable) == (False, (), "")
    assert not Statistics(HttpLook("u", Web.ANSWERED, 503), told(text).servers).available


def test_a_server_is_looked_for_in_its_own_pool() -> None:
    seen = Statistics(HttpLook("u", Web.ANSWERED, 200), (ServerStatus("one", "a"), ServerStatus("two", "b"), ServerStatus("three", "b")))
    assert (seen.pool_of("a"), seen.pool_of("b"), seen.pool_of("c")) == ("one", "two", None)


def test_what_is_not_counted_is_nought() -> None:
    server = ServerStatus("one", "a")
    counted = (server.weight, server.sessions_total, server.sessions_current, server.chosen_total)
    assert (*counted, server.last_change_seconds, server.downtime_seconds) == (0, 0, 0, 0, 0, 0)


def test_a_socket_of_a_frontend_is_no_server(captured: Captured) -> None:
    text = captured("statistics.csv")
    frontend = next(line for line in text.splitlines(keepends=True) if line.startswith("ssh,FRONTEND"))
    assert parse_statistics(text + frontend.replace("FRONTEND", "sock-1")) == parse_statistics(text)


def test_quotes_that_do_not_close_are_told(captured: Captured) -> None:
    text = captured("statistics.csv")
    for damage in ('"L4OK"x', '"L4OK'):
        with pytest.raises(Unreadable, match="HAProxy's statistics"):
            parse_statistics(text.replace("L4OK", damage, 1))
