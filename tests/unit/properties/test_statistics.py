"""HAProxy's table, damaged: the right servers or an error that says so, never a server that is not there or in another state."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import Unreadable
from probes.statistics import NUMBERS, ServerStatus, parse_statistics
from tests.unit.properties.damage import cut, damaged, interleaved, read_or_refused, shuffled, told_otherwise

TEXT = (Path(__file__).parents[1] / "probes" / "data" / "statistics.csv").read_text(encoding="utf-8")
WHOLE = parse_statistics(TEXT)
PAGE = "<html>\n<b>503</b>\n"
HEADER, *ROWS = TEXT.splitlines(keepends=True)
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="-_.:"), min_size=1, max_size=12).filter(
    lambda name: name not in {"FRONTEND", "BACKEND", "svname"}
)
STATES = st.sampled_from(["UP", "UP 2/3", "DOWN", "DOWN 1/2", "DRAIN", "MAINT", "NOLB", "no check", "MAINT (via a/b)"])
COUNTS = st.integers(0, 2**63)


def written(servers: list[ServerStatus]) -> str:
    """As HAProxy writes it: empty cells where there is nothing to say, a comma at the end, a row that sums up each pool."""
    columns = HEADER.strip().split(",")
    out = io.StringIO()
    out.write(HEADER)
    for pool in dict.fromkeys(server.pool for server in servers):
        rows = [
            {
                "# pxname": pool,
                "svname": server.name,
                "status": server.raw_status,
                "check_status": server.check_status,
                **{column: str(getattr(server, field)) for field, column in NUMBERS.items()},
            }
            for server in servers
            if server.pool == pool
        ]
        for row in [*rows, {"# pxname": pool, "svname": "BACKEND", "status": "UP"}]:
            out.write(",".join(row.get(column, "") for column in columns) + "\n")
    return out.getvalue()


SERVERS = st.lists(
    st.builds(
        ServerStatus,
        NAMES,
        NAMES,
        st.just(""),
        STATES,
        st.sampled_from(["L4OK", "L4TOUT", ""]),
        COUNTS,
        COUNTS,
        COUNTS,
        COUNTS,
        COUNTS,
        COUNTS,
    ),
    max_size=5,
    unique_by=lambda server: (server.pool, server.name),
)


@given(SERVERS)
def test_servers_are_read_as_they_were_written(servers: list[ServerStatus]) -> None:
    assert set(parse_statistics(written(servers))) == set(servers)


@given(st.one_of(cut(TEXT), shuffled(TEXT), interleaved(TEXT, PAGE), interleaved(TEXT, TEXT), told_otherwise(TEXT), st.just(TEXT + TEXT)))
def test_a_table_that_was_cut_or_mixed_up_is_refused_or_right(text: str) -> None:
    assert set(read_or_refused(lambda: parse_statistics(text), "statistics") or ()) in (set(), set(WHOLE))


@given(damaged(TEXT, PAGE))
def test_any_table_is_read_or_refused_in_our_own_words(text: str) -> None:
    for server in read_or_refused(lambda: parse_statistics(text), "statistics") or ():
        assert str(server)
        assert server.in_rotation in {True, False}


@given(cut(TEXT).filter(lambda text: text.startswith("# pxname")))
def test_a_table_that_was_cut_never_lacks_servers_of_a_pool(text: str) -> None:
    assert (read_or_refused(lambda: parse_statistics(text), "statistics") or ()) in {(), WHOLE}


@given(st.permutations(ROWS))
def test_the_order_of_rows_means_nothing(rows: list[str]) -> None:
    assert set(parse_statistics(HEADER + "".join(rows))) == set(WHOLE)


@pytest.mark.parametrize("cell", ["²", "--5", "1O0", "5s", "1.5", "\x00", "0x1"])
def test_a_number_that_is_none_is_not_made_into_nought(cell: str) -> None:
    good = "runner01,0,0,1,1,,1,0,0,,0,,0,0,0,0,UP,1,"
    assert good in TEXT
    with pytest.raises(Unreadable, match="weight"):
        parse_statistics(TEXT.replace(good, f"{good.removesuffix('1,')}{cell},"))
