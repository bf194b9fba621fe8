"""HAProxy's configuration, damaged: the right settings or an error that names the line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import Unreadable
from probes.haproxy_config import Checking, parse_configuration, parse_time
from tests.unit.hardening.test_haproxy_config import GUIDE, REFERENCE
from tests.unit.properties.damage import cut, damaged, read_or_refused

MILLISECONDS = st.integers(1, 10**9)


@given(MILLISECONDS, MILLISECONDS, MILLISECONDS, st.integers(1, 99), st.integers(1, 99))
def test_settings_are_read_as_they_were_written(inter: int, fast: int, down: int, rise: int, fall: int) -> None:
    text = f"listen fleet\n  server one 10.1.0.1:22 check inter {inter} fastinter {fast}ms downinter {down} rise {rise} fall {fall}\n"
    told = Checking(timedelta(milliseconds=inter), timedelta(milliseconds=fast), timedelta(milliseconds=down), rise, fall)
    assert parse_configuration(text)["fleet"].servers == {"one": told}


@pytest.mark.parametrize("whole", [GUIDE, REFERENCE])
@given(data=st.data())
def test_a_file_that_was_cut_is_refused_or_right_as_far_as_it_goes(whole: str, data: st.DataObject) -> None:
    text = data.draw(cut(whole).filter(whole.startswith))
    found = read_or_refused(lambda: parse_configuration(text), "HAProxy")
    proxies = parse_configuration(whole)
    for name, proxy in (found or {}).items():
        assert proxy.lines == proxies[name].lines[: len(proxy.lines)]
        assert proxy.servers.items() <= proxies[name].servers.items()


@pytest.mark.parametrize("whole", [GUIDE, REFERENCE])
@given(data=st.data())
def test_a_damaged_file_is_refused_in_our_own_words(whole: str, data: st.DataObject) -> None:
    text = data.draw(damaged(whole, "Nov 25 kernel: martian source\n"))
    read_or_refused(lambda: parse_configuration(text), "HAProxy")


@given(
    st.text(max_size=8) | st.from_regex(r"\d+(us|ms|s|m|h|d|w)?", fullmatch=True) | st.integers(10**15, 10**40).map(lambda days: f"{days}d")
)
def test_any_text_is_a_time_or_refused(text: str) -> None:
    found = read_or_refused(lambda: parse_time(text), "time")
    assert found is None or found >= timedelta()


@pytest.mark.parametrize(
    "line",
    [
        'server "one',
        "timeout connect",
        "timeout",
        "server",
        "server one a:1 check rise",
        "server one a:1 check rise two",
        "server one a:1 check inter 5w",
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(Unreadable, match=r"line 2 .*HAProxy"):
        parse_configuration(f"listen fleet\n    {line}\n")


@pytest.mark.parametrize("line", ["listen", "backend"])
def test_a_section_without_a_name_is_refused(line: str) -> None:
    with pytest.raises(Unreadable, match=r"line 1 .*HAProxy"):
        parse_configuration(f"{line}\n")
