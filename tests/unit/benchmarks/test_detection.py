"""Detection times by a balancer's own settings, against numbers that were measured elsewhere."""

from __future__ import annotations

import pytest

from benchmarks.detection import CheckSettings, read_settings

GUIDE = """
defaults
    timeout connect 5s
frontend other
    bind :80
backend fleet
    option tcp-check
    default-server inter 5s rise 2 fall 3
    server runner01 10.1.0.103:22 check
"""
REFERENCE = """
defaults
    timeout connect 1s  # one second
    timeout check 1s
listen state_storage
    default-server check inter 9s fastinter 9s rise 9 fall 9
listen fleet
    default-server check inter 2s fastinter 500ms downinter 1s rise 2 fall 3
    server runner01 10.1.0.103:22
"""


def test_settings_come_from_the_pool_and_the_defaults() -> None:
    assert read_settings(REFERENCE, "fleet") == CheckSettings(2.0, 0.5, 1.0, rise=2, fall=3, timeout_connect=1.0)


def test_what_is_not_set_is_as_inter() -> None:
    assert read_settings(GUIDE, "fleet") == CheckSettings(5.0, 5.0, 5.0, rise=2, fall=3, timeout_connect=5.0)


def test_a_pool_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        read_settings(GUIDE, "nowhere")


def test_the_guides_settings_take_as_long_as_measured() -> None:
    settings = read_settings(GUIDE, "fleet")
    refused, silent, back = settings.out(1, silent=False), settings.out(1, silent=True), settings.back()
    assert (refused.least, refused.most) == (10, 15)
    assert (silent.least, silent.most) == (25, 30)
    assert (back.least, back.most) == (5, 10)


def test_several_balancers_take_longer_on_average_but_not_at_worst() -> None:
    settings = read_settings(REFERENCE, "fleet")
    one, two = settings.out(1, silent=True), settings.out(2, silent=True)
    assert (one.least, one.mean, one.most) == (4, 5, 6)
    assert two.mean == pytest.approx(4 + 2 * 2 / 3)
    assert two.most == one.most
